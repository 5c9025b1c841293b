"""Reports for people: what a run did, as one self-contained HTML page. Pure: JSON reports in, text out."""
