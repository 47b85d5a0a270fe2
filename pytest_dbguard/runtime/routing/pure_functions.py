"""Functions that change nothing wherever they run: what calls only these is a read."""

from __future__ import annotations

from typing import Final

_AGGREGATES = """
any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every group_concat
grouping json_agg json_group_array json_group_object json_object_agg jsonb_agg jsonb_object_agg max min mode
percentile_cont percentile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope stddev stddev_pop
stddev_samp string_agg sum total var_pop var_samp variance xmlagg
"""
_WINDOWS = "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number"
_VALUES = """
abs acos asin atan atan2 ceil ceiling char char_length character_length chr coalesce concat concat_ws cos cot decode
degrees div encode exp floor format gcd greatest hex ifnull iif initcap instr lcm least left length ln log log10 log2
lower lpad ltrim md5 mod nullif octet_length overlay pi position power pow printf quote quote_ident quote_literal
radians random regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
regexp_split_to_table regexp_substr repeat replace reverse right round rpad rtrim sha256 sign sin split_part sqrt
starts_with strpos substr substring tan to_char to_hex to_number translate trim trunc typeof unhex unicode unistr
unaccent upper width_bucket gen_random_uuid uuid_generate_v4 uuidv4 uuidv7
"""
_TIMES = """
age clock_timestamp current_date current_time current_timestamp date date_add date_bin date_part date_subtract
date_trunc datetime extract isfinite julianday justify_days justify_hours justify_interval localtime localtimestamp
make_date make_interval make_time make_timestamp make_timestamptz now statement_timestamp strftime sysdate time
timediff timezone to_date to_timestamp transaction_timestamp unixepoch
"""
_COLLECTIONS = """
array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
array_prepend array_remove array_replace array_to_string array_upper cardinality generate_series generate_subscripts
isempty json_array json_array_elements json_array_elements_text json_array_length json_build_array json_build_object
json_each json_each_text json_extract json_extract_path json_extract_path_text json_object json_object_keys json_tree
json_type json_typeof json_valid jsonb jsonb_array_elements jsonb_array_elements_text jsonb_array_length
jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text
jsonb_insert jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query
jsonb_path_query_array jsonb_path_query_first jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof lower_inc
lower_inf range_agg range_merge row row_to_json string_to_array string_to_table to_json to_jsonb unnest upper_inc
upper_inf
"""
_SEARCH = """
bm25 highlight levenshtein plainto_tsquery phraseto_tsquery querytree setweight show_trgm similarity snippet soundex
strict_word_similarity to_tsquery to_tsvector ts_headline ts_rank ts_rank_cd websearch_to_tsquery word_similarity
"""
_SERVER = """
aggregate_strings current_database current_role current_schema current_user inet_server_addr inet_server_port
pg_backend_pid pg_is_in_recovery pg_last_wal_replay_lsn pg_typeof session_user sqlite_version user version
"""

PURE_FUNCTIONS: Final = frozenset(
    " ".join((_AGGREGATES, _WINDOWS, _VALUES, _TIMES, _COLLECTIONS, _SEARCH, _SERVER)).split()
)
"""Their names, of PostgreSQL, of SQLite and of SQLAlchemy itself; those of PostGIS begin with "st_"."""
