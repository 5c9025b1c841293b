-- Page views: one row for each view of a page, by the id of the tracker's web_page entity.
--   Seconds read: the tracker sends a page ping every ten seconds (its own setting: change the 10 below to yours).
--   A view that came twice (a tracker that sent again) is one: its first event counts.
DROP TABLE IF EXISTS derived.page_views;
CREATE TABLE derived.page_views AS
WITH pages AS (
  SELECT root_id AS event_id, root_tstamp AS collector_tstamp, min(CAST(id AS varchar(36))) AS page_view_id
  FROM {{.schema}}.com_snowplowanalytics_snowplow_web_page_1
  GROUP BY root_id, root_tstamp
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
  FROM {{.schema}}.events e
  JOIN pages p ON p.event_id = e.event_id AND p.collector_tstamp = e.collector_tstamp
  WHERE e.event = 'page_view'
),
read_for AS (
  SELECT
    p.page_view_id,
    count(*) AS page_pings,
    max(e.pp_yoffset_max) AS scrolled_to
  FROM {{.schema}}.events e
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
  coalesce(r.page_pings, 0) * 10 AS seconds_read,
  r.scrolled_to,
  s.doc_height
FROM seen s
LEFT JOIN read_for r ON r.page_view_id = s.page_view_id
WHERE s.place = 1;
