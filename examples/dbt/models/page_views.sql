-- Page views: one row for each view of a page, by the id of the tracker's web_page entity.
--   Seconds read: the tracker sends a page ping every ten seconds (the variable heartbeat_seconds).
--   A view that came twice (a tracker that sent again) is one: its first event counts.
WITH pages AS (
{{ web_pages() }}
),
seen AS (
  SELECT
    p.page_view_id,
    e.*,
    coalesce(e.derived_tstamp, e.collector_tstamp) AS tstamp,
    row_number() OVER (
      PARTITION BY p.page_view_id
      ORDER BY coalesce(e.derived_tstamp, e.collector_tstamp), e.event_id
    ) AS place
  FROM {{ var('snowplow__atomic_schema') }}.events e
  JOIN pages p ON p.event_id = e.event_id AND p.collector_tstamp = e.collector_tstamp
  WHERE e.event = 'page_view'
),
read_for AS (
  SELECT
    p.page_view_id,
    count(*) AS page_pings,
    max(e.pp_yoffset_max) AS scrolled_to
  FROM {{ var('snowplow__atomic_schema') }}.events e
  JOIN pages p ON p.event_id = e.event_id AND p.collector_tstamp = e.collector_tstamp
  WHERE e.event = 'page_ping'
  GROUP BY p.page_view_id
)
SELECT
  s.page_view_id,
  s.event_id,
  s.domain_sessionid,
  s.domain_userid,
  s.app_id,
  s.tstamp,
  s.page_urlhost,
  s.page_urlpath,
  s.page_title,
  s.refr_medium,
  s.refr_source,
  s.mkt_campaign,
  coalesce(r.page_pings, 0) AS page_pings,
  coalesce(r.page_pings, 0) * {{ var('heartbeat_seconds') }} AS seconds_read,
  r.scrolled_to,
  s.doc_height
FROM seen s
LEFT JOIN read_for r ON r.page_view_id = s.page_view_id
WHERE s.place = 1
