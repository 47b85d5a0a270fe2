"""The list of rules, most specific first, and how they are found by code, name or prefix."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from pytest_dbguard.core.errors import ConfigError, did_you_mean
from pytest_dbguard.rules.base import Rule

RULES: tuple[str, ...] = (
    "pytest_dbguard.rules.n_plus_one:NPlusOne",
    "pytest_dbguard.rules.column_reload:ColumnReload",
    "pytest_dbguard.rules.statement_in_loop:StatementInLoop",
    "pytest_dbguard.rules.duplicate_query:DuplicateQuery",
    "pytest_dbguard.rules.masked_n_plus_one:MaskedNPlusOne",
    "pytest_dbguard.rules.latent_n_plus_one:LatentNPlusOne",
    "pytest_dbguard.rules.over_eager_load:OverEagerLoad",
    "pytest_dbguard.rules.unused_eager_load:UnusedEagerLoad",
    "pytest_dbguard.rules.commit_in_loop:CommitInLoop",
    "pytest_dbguard.rules.write_in_loop:WriteInLoop",
    "pytest_dbguard.rules.missed_bulk_write:MissedBulkWrite",
    "pytest_dbguard.rules.count_for_existence:CountForExistence",
    "pytest_dbguard.rules.over_fetch:OverFetch",
    "pytest_dbguard.rules.flush_storm:FlushStorm",
    "pytest_dbguard.rules.unfiltered_write:UnfilteredWrite",
    "pytest_dbguard.rules.cartesian_product:CartesianProduct",
    "pytest_dbguard.rules.mismatched_join_types:MismatchedJoinTypes",
    "pytest_dbguard.rules.unusable_index:UnusableIndex",
    "pytest_dbguard.rules.unindexed_join:UnindexedJoin",
    "pytest_dbguard.rules.missing_index:MissingIndex",
    "pytest_dbguard.rules.unindexed_sort:UnindexedSort",
    "pytest_dbguard.rules.unindexed_foreign_key:UnindexedForeignKey",
    "pytest_dbguard.rules.unused_join:UnusedJoin",
    "pytest_dbguard.rules.costly_plan:CostlyPlan",
    "pytest_dbguard.rules.redundant_index:RedundantIndex",
    "pytest_dbguard.rules.unused_index:UnusedIndex",
    "pytest_dbguard.rules.missing_unique:MissingUnique",
    "pytest_dbguard.rules.missing_primary_key:MissingPrimaryKey",
    "pytest_dbguard.rules.mismatched_key_types:MismatchedKeyTypes",
    "pytest_dbguard.rules.full_soft_delete_index:FullSoftDeleteIndex",
    "pytest_dbguard.rules.blocking_index:BlockingIndex",
    "pytest_dbguard.rules.blocking_not_null:BlockingNotNull",
    "pytest_dbguard.rules.table_rewrite:TableRewrite",
    "pytest_dbguard.rules.no_lock_timeout:NoLockTimeout",
    "pytest_dbguard.rules.blocking_constraint:BlockingConstraint",
    "pytest_dbguard.rules.wide_select:WideSelect",
    "pytest_dbguard.rules.unbounded_select:UnboundedSelect",
    "pytest_dbguard.rules.deep_offset:DeepOffset",
    "pytest_dbguard.rules.not_in_subquery:NotInSubquery",
    "pytest_dbguard.rules.leading_wildcard:LeadingWildcard",
    "pytest_dbguard.rules.random_order:RandomOrder",
    "pytest_dbguard.rules.pagination_without_order:PaginationWithoutOrder",
    "pytest_dbguard.rules.null_comparison:NullComparison",
    "pytest_dbguard.rules.huge_in_list:HugeInList",
    "pytest_dbguard.rules.distinct_hides_duplicates:DistinctHidesDuplicates",
    "pytest_dbguard.rules.left_join_negated:LeftJoinNegated",
    "pytest_dbguard.rules.or_across_columns:OrAcrossColumns",
    "pytest_dbguard.rules.interpolated_sql:InterpolatedSql",
    "pytest_dbguard.rules.long_transaction:LongTransaction",
    "pytest_dbguard.rules.leaked_connection:LeakedConnection",
    "pytest_dbguard.rules.slow_query:SlowQuery",
    "pytest_dbguard.rules.query_budget:QueryBudget",
    "pytest_dbguard.rules.query_count_regression:QueryCountRegression",
    "pytest_dbguard.rules.plan_regression:PlanRegression",
    "pytest_dbguard.rules.unused_ignore:UnusedIgnore",
    "pytest_dbguard.rules.stale_baseline_entry:StaleBaselineEntry",
)


@cache
def load_rules() -> tuple[type[Rule], ...]:
    """Return all rule classes: ours in the order of `RULES`, then those of the entry point group `dbguard.rules`."""
    ours = tuple(_load(spec) for spec in RULES)
    theirs = tuple(point.load() for point in sorted(entry_points(group="dbguard.rules"), key=lambda p: p.name))
    return ours + theirs


def find_rule(word: str) -> type[Rule]:
    """Return the rule with this code or name (any case); raise ConfigError naming the nearest one."""
    for rule in load_rules():
        if word.upper() == rule.code or word.lower() == rule.name:
            return rule
    raise ConfigError(f"unknown rule {word!r}", hint=did_you_mean(word, _words()))


def codes_matching(words: Iterable[str]) -> frozenset[str]:
    """Return the codes that the words stand for: a code, a prefix of codes ("DBG1"), a name, or "ALL".

    Raises:
        ConfigError: For a word that stands for no rule.
    """
    codes: set[str] = set()
    for word in words:
        upper = word.upper()
        if upper == "ALL":
            codes |= {rule.code for rule in load_rules()}
            continue
        prefixed = {rule.code for rule in load_rules() if upper.startswith("DBG") and rule.code.startswith(upper)}
        codes |= prefixed or {find_rule(word).code}
    return frozenset(codes)


def _words() -> list[str]:
    return [word for rule in load_rules() for word in (rule.code, rule.name)]


def _load(spec: str) -> type[Rule]:
    module, _, attribute = spec.partition(":")
    rule: type[Rule] = getattr(import_module(module), attribute)
    return rule
