-- Users: one row for each domain_userid, from the sessions above; the first visit tells where the user came from.
WITH ranked AS (
  SELECT
    s.*,
    row_number() OVER (PARTITION BY s.domain_userid ORDER BY s.started, s.domain_sessionid) AS place
  FROM {{ ref('sessions') }} s
  WHERE s.domain_userid IS NOT NULL
),
counted AS (
  SELECT
    domain_userid,
    max(user_id) AS user_id,
    min(started) AS first_seen,
    max(ended) AS last_seen,
    count(*) AS sessions,
    sum(events) AS events,
    sum(page_views) AS page_views,
    sum(transactions) AS transactions
  FROM ranked
  GROUP BY domain_userid
)
SELECT
  c.*,
  f.refr_medium AS first_refr_medium,
  f.refr_source AS first_refr_source,
  f.mkt_campaign AS first_mkt_campaign,
  f.first_page_path,
  f.geo_country AS first_geo_country
FROM counted c
JOIN ranked f ON f.domain_userid = c.domain_userid AND f.place = 1
