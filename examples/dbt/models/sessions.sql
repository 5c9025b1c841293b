-- Sessions: one row for each domain_sessionid of web events. Made anew from all events.
--   first and last event, pages, where the visit came from (its first page view decides), transactions.
WITH visits AS (
  SELECT
    e.*,
    coalesce(e.derived_tstamp, e.collector_tstamp) AS tstamp,
    row_number() OVER (
      PARTITION BY e.domain_sessionid
      ORDER BY e.event <> 'page_view', coalesce(e.derived_tstamp, e.collector_tstamp), e.event_id
    ) AS place
  FROM {{ var('snowplow__atomic_schema') }}.events e
  WHERE e.domain_sessionid IS NOT NULL
),
counted AS (
  SELECT
    domain_sessionid,
    min(domain_userid) AS domain_userid,
    max(user_id) AS user_id,
    max(domain_sessionidx) AS session_index,
    min(tstamp) AS started,
    max(tstamp) AS ended,
    count(*) AS events,
    sum(CASE WHEN event = 'page_view' THEN 1 ELSE 0 END) AS page_views,
    sum(CASE WHEN event = 'page_ping' THEN 1 ELSE 0 END) AS page_pings,
    count(DISTINCT page_urlpath) AS pages,
    count(DISTINCT tr_orderid) AS transactions
  FROM visits
  GROUP BY domain_sessionid
)
SELECT
  c.*,
  f.app_id,
  f.platform,
  f.page_urlhost AS first_page_host,
  f.page_urlpath AS first_page_path,
  f.refr_medium,
  f.refr_source,
  f.mkt_campaign,
  f.mkt_source,
  f.mkt_medium,
  f.geo_country,
  f.geo_city,
  f.br_lang,
  f.dvce_type,
  f.os_family
FROM counted c
JOIN visits f ON f.domain_sessionid = c.domain_sessionid AND f.place = 1
