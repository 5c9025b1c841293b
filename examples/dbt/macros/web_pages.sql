{# The web_page entities of events: event_id, collector_tstamp, page_view_id. PostgreSQL and Redshift have a table of
   them; DuckDB has them in a column of events. #}
{% macro web_pages() -%}{{ adapter.dispatch('web_pages', 'web')() }}{%- endmacro %}

{% macro default__web_pages() %}
  select root_id as event_id, root_tstamp as collector_tstamp, min(cast(id as varchar(36))) as page_view_id
  from {{ var('snowplow__atomic_schema') }}.com_snowplowanalytics_snowplow_web_page_1
  group by root_id, root_tstamp
{% endmacro %}

{% macro duckdb__web_pages() %}
  select event_id, collector_tstamp, min(page.id) as page_view_id
  from {{ var('snowplow__atomic_schema') }}.events,
    unnest(contexts_com_snowplowanalytics_snowplow_web_page_1) as pages(page)
  group by event_id, collector_tstamp
{% endmacro %}
