"""Lists of employees and vehicles, whatever kind they are."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectin_polymorphic, selectinload, with_polymorphic

from shop.models import Car, Company, Employee, Engineer, Manager, Truck, Vehicle


def languages(session: Session) -> list[str]:
    found = []
    people = session.scalars(select(Employee)).all()  # origin: DBG102 Engineer.language @test_subclass_column
    for person in people:  # loop: DBG102 Engineer.language @test_subclass_column
        if isinstance(person, Engineer):
            found.append(person.language)  # expect: DBG102 Engineer.language @test_subclass_column
    return found


def cost(session: Session) -> int:
    total = 0
    for person in session.scalars(select(Employee)).all():  # origin: DBG102 Manager.budget @test_match # loop: DBG102 Manager.budget @test_match  # noqa: E501 # fmt: skip
        match person:
            case Manager():
                total += person.budget  # expect: DBG102 Manager.budget @test_match
            case _:
                total += 1
    return total


def laptops(session: Session) -> list[str]:
    found = []
    engineers = session.scalars(select(Engineer)).all()  # origin: DBG101 Engineer.laptop @test_subclass_relationship
    for engineer in engineers:  # loop: DBG101 Engineer.laptop @test_subclass_relationship
        found.append(engineer.laptop.model)  # expect: DBG101 Engineer.laptop @test_subclass_relationship
    return found


def employers(session: Session) -> list[str]:
    found = []
    managers = session.scalars(select(Manager)).all()  # origin: DBG101 Employee.company @test_base_relationship
    for manager in managers:  # loop: DBG101 Employee.company @test_base_relationship
        found.append(manager.company.name)  # expect: DBG101 Employee.company @test_base_relationship
    return found


def tonnage(session: Session) -> int:
    total = 0
    vehicles = session.scalars(select(Vehicle)).all()  # origin: DBG102 Truck.tonnage @test_single_table_column
    for vehicle in vehicles:  # loop: DBG102 Truck.tonnage @test_single_table_column
        if vehicle.kind == "truck":
            total += vehicle.tonnage  # expect: DBG102 Truck.tonnage @test_single_table_column
    return total


def cities(session: Session) -> list[str]:
    found = []
    for truck in session.scalars(select(Truck)).all():  # origin: DBG101 Truck.depot @test_single_table_lazy # loop: DBG101 Truck.depot @test_single_table_lazy  # noqa: E501 # fmt: skip
        found.append(truck.depot.city)  # expect: DBG101 Truck.depot @test_single_table_lazy
    return found


def payroll(session: Session) -> dict[str, list[str]]:
    rolls = {}
    companies = session.scalars(select(Company)).all()  # origin: DBG101 Company.employees @test_mixed_collection
    for company in companies:  # loop: DBG101 Company.employees @test_mixed_collection
        rolls[company.name] = [person.name for person in company.employees]  # expect: DBG101 Company.employees @test_mixed_collection  # noqa: E501 # fmt: skip
    return rolls


# --- as it should be ---


def languages_at_once(session: Session) -> list[str]:
    everybody = with_polymorphic(Employee, "*")
    return [person.language for person in session.scalars(select(everybody)) if isinstance(person, Engineer)]


def languages_in_two(session: Session) -> list[str]:
    statement = select(Employee).options(selectin_polymorphic(Employee, [Engineer, Manager]))
    return [
        person.language if isinstance(person, Engineer) else str(person.budget) for person in session.scalars(statement)
    ]


def kinds(session: Session) -> dict[str, int]:
    counts = {"engineer": 0, "manager": 0}
    for person in session.scalars(select(Employee)):
        counts["engineer" if isinstance(person, Engineer) else "manager"] += 1
    return counts


def seats(session: Session) -> int:
    return sum(vehicle.seats for vehicle in session.scalars(select(Vehicle)) if isinstance(vehicle, Car))


def laptops_loaded(session: Session) -> list[str]:
    everybody = select(Employee).options(selectin_polymorphic(Employee, [Engineer]), selectinload(Engineer.laptop))
    return [person.laptop.model for person in session.scalars(everybody) if isinstance(person, Engineer)]


def employers_loaded(session: Session) -> list[str]:
    return [m.company.name for m in session.scalars(select(Manager).options(joinedload(Manager.company)))]


def language_of(session: Session, name: str) -> str:
    person = session.scalars(select(Employee).where(Employee.name == name).limit(1)).one()
    return person.language


def own_columns(session: Session) -> list[str]:
    return [f"{engineer.name} {engineer.language}" for engineer in session.scalars(select(Engineer))]
