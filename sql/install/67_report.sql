--
-- The access report: one page of HTML that needs nothing beside itself. Every value in it passes html_of().
--

CREATE FUNCTION hoopguard.html_of(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT replace(replace(replace(replace(replace(coalesce(value, ''), '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'),
                   '''', '&#39;')
$$;
COMMENT ON FUNCTION hoopguard.html_of(text) IS 'a value as text of an HTML page';

-- A table: `rows` is an array of arrays of texts; `sorts` says for each column text, number, time or risk.
CREATE FUNCTION hoopguard.report_table(id text, caption text, heads text[], sorts text[], rows jsonb, note text DEFAULT NULL)
    RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat('<section aria-labelledby="', id, '-h"><h2 id="', id, '-h">', hoopguard.html_of(caption), '</h2>',
        CASE WHEN note IS NOT NULL THEN '<p class="note">' || hoopguard.html_of(note) || '</p>' END,
        CASE WHEN jsonb_array_length(rows) = 0 THEN '<p class="note">Nothing.</p>' ELSE concat(
            '<p class="filter"><label>Filter <input type="search" data-for="', id, '" autocomplete="off"></label> <output id="', id,
            '-n" aria-live="polite"></output></p>',
            '<div class="scroll" tabindex="0" role="region" aria-labelledby="', id, '-h"><table id="', id, '"><thead><tr>',
            (SELECT string_agg(format('<th scope="col" aria-sort="none"%s><button type="button">%s</button></th>',
                                      CASE WHEN sorts[n] = 'number' THEN ' class="number"' ELSE '' END, hoopguard.html_of(h)), '' ORDER BY n) FROM unnest(heads) WITH ORDINALITY AS u (h, n)),
            '</tr></thead><tbody>',
            (SELECT string_agg('<tr>' || r.cells || '</tr>' || E'\n', '' ORDER BY r.place) FROM (
                SELECT row.place, string_agg(
                    CASE sorts[cell.n]
                        WHEN 'risk' THEN format('<td data-v="%s"><span class="risk %s">%2$s</span></td>',
                            array_position(ARRAY['low', 'medium', 'high', 'critical'], cell.v),
                            CASE WHEN cell.v IN ('low', 'medium', 'high', 'critical') THEN cell.v ELSE '' END)
                        WHEN 'code' THEN '<td class="code"><code>' || v.escaped || '</code></td>'
                        WHEN 'text' THEN '<td>' || v.escaped || '</td>'
                        ELSE format('<td class="%s">%s</td>', sorts[cell.n], v.escaped) END, '' ORDER BY cell.n) AS cells
                  FROM jsonb_array_elements(rows) WITH ORDINALITY AS row (v, place)
                 CROSS JOIN LATERAL jsonb_array_elements_text(row.v) WITH ORDINALITY AS cell (v, n)
                 CROSS JOIN LATERAL (SELECT replace(replace(replace(replace(replace(coalesce(cell.v, ''), '&', '&amp;'), '<', '&lt;'),
                                            '>', '&gt;'), '"', '&quot;'), '''', '&#39;') AS escaped) v
                 GROUP BY row.place) r),
            '</tbody></table></div>') END, '</section>', E'\n')
$$;
COMMENT ON FUNCTION hoopguard.report_table(text, text, text[], text[], jsonb, text) IS 'a table of the access report';

-- A chart of bars side by side with their numbers: `rows` is an array of {label, note, parts: [number, ...]}, each part a
-- share of the bar in the colour of its series.
CREATE FUNCTION hoopguard.report_bars(id text, title text, series text[], colours text[], rows jsonb, stacked boolean)
    RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH bar AS (
        SELECT b.place, b.v ->> 'label' AS label, b.v ->> 'note' AS note, p.n, p.v::numeric AS value,
               CASE WHEN stacked THEN coalesce(sum(p.v::numeric) OVER (PARTITION BY b.place ORDER BY p.n ROWS BETWEEN UNBOUNDED PRECEDING
                                                              AND 1 PRECEDING), 0) ELSE 0 END AS before,
               sum(p.v::numeric) OVER (PARTITION BY b.place) AS whole
          FROM jsonb_array_elements(rows) WITH ORDINALITY AS b (v, place)
         CROSS JOIN LATERAL jsonb_array_elements_text(b.v -> 'parts') WITH ORDINALITY AS p (v, n)
    ), most AS (
        SELECT greatest(max(CASE WHEN stacked THEN whole ELSE value END), 1) AS most FROM bar
    )
    SELECT concat('<figure><figcaption id="', id, '-t">', hoopguard.html_of(title), '</figcaption>',
        CASE WHEN jsonb_array_length(rows) = 0 THEN '<p class="note">Nothing on record.</p>' ELSE concat(
        '<ul class="legend">', (SELECT string_agg(format('<li><span class="key %s"></span>%s</li>', colours[n], hoopguard.html_of(s)), '' ORDER BY n)
                                  FROM unnest(series) WITH ORDINALITY AS u (s, n)), '</ul>',
        format('<svg viewBox="0 0 640 %s" role="img" aria-labelledby="%s-t">', jsonb_array_length(rows) * 24 + 4, id),
        (SELECT string_agg(CASE WHEN b.n = 1 THEN format('<text x="188" y="%s" class="label">%s</text>', (b.place - 1) * 24 + 17,
                                  hoopguard.html_of(CASE WHEN length(b.label) > 26 THEN left(b.label, 25) || '...' ELSE b.label END)) ELSE '' END
                           || format('<rect x="%s" y="%s" width="%s" height="%s" class="%s"><title>%s: %s %s</title></rect>',
                                     round(196 + 270 * b.before / m.most, 1),
                                     (b.place - 1) * 24 + CASE WHEN stacked THEN 5 ELSE 4 + (b.n - 1) * 9 END,
                                     round(greatest(270 * b.value / m.most, CASE WHEN b.value > 0 THEN 1 ELSE 0 END), 1),
                                     CASE WHEN stacked THEN 16 ELSE 8 END, colours[b.n], hoopguard.html_of(b.label), b.value,
                                     hoopguard.html_of(series[b.n]))
                           || CASE WHEN b.n = array_length(series, 1) THEN format('<text x="%s" y="%s" class="value">%s</text>',
                                     round(202 + 270 * CASE WHEN stacked THEN b.whole ELSE greatest(b.value, b.whole - b.value) END / m.most, 1),
                                     (b.place - 1) * 24 + 17, hoopguard.html_of(b.note)) ELSE '' END,
                           '' ORDER BY b.place, b.n) FROM bar b, most m),
        '</svg>') END, '</figure>', E'\n')
$$;
COMMENT ON FUNCTION hoopguard.report_bars(text, text, text[], text[], jsonb, boolean) IS 'a chart of horizontal bars';

-- A chart of days, a bar each, its parts on top of one another; with the same numbers as a table, week by week.
CREATE FUNCTION hoopguard.report_days(id text, title text, series text[], colours text[], days integer, counts jsonb)
    RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH day AS (
        SELECT current_date - days + d AS day, d AS place, s.name, s.n,
               coalesce((counts -> (current_date - days + d)::text ->> s.name)::numeric, 0) AS value
          FROM generate_series(1, days) AS g (d) CROSS JOIN unnest(series) WITH ORDINALITY AS s (name, n)
    ), bar AS (
        SELECT d.*, sum(d.value) OVER (PARTITION BY d.day) AS whole,
               sum(d.value) OVER (PARTITION BY d.day ORDER BY d.n) AS upto FROM day d
    ), most AS (
        SELECT greatest(max(whole), 1) AS most, 584.0 / days AS wide FROM bar
    )
    SELECT concat('<figure><figcaption id="', id, '-t">', hoopguard.html_of(title), '</figcaption>',
        CASE WHEN counts = '{}' THEN '<p class="note">Nothing on record.</p>' ELSE concat(
        '<ul class="legend">', (SELECT string_agg(format('<li><span class="key %s"></span>%s</li>', colours[n], hoopguard.html_of(s)), '' ORDER BY n)
                                  FROM unnest(series) WITH ORDINALITY AS u (s, n)), '</ul>',
        format('<svg viewBox="0 0 640 216" role="img" aria-labelledby="%s-t">', id),
        (SELECT string_agg(format('<line x1="48" x2="632" y1="%1$s" y2="%1$s" class="grid"/><text x="42" y="%2$s" class="label">%3$s</text>',
                                  round(180 - 170 * q.v, 1), round(184 - 170 * q.v, 1), round(m.most * q.v)), '')
           FROM most m, (VALUES (0.0), (0.5), (1.0)) AS q (v)),
        (SELECT string_agg(format('<rect x="%s" y="%s" width="%s" height="%s" class="%s"><title>%s: %s %s</title></rect>',
                                  round(48 + (b.place - 1) * m.wide, 1), round(180 - 170 * b.upto / m.most, 1),
                                  round(greatest(m.wide - 1, 1), 1), round(170 * b.value / m.most, 1), colours[b.n], b.day, b.value,
                                  hoopguard.html_of(b.name)), '' ORDER BY b.place, b.n)
           FROM bar b, most m WHERE b.value > 0),
        (SELECT string_agg(format('<text x="%s" y="200" class="%s">%s</text>', round(48 + (g.d - 0.5) * m.wide, 1),
                                  CASE WHEN g.d = days THEN 'label' WHEN g.d = 1 THEN 'start' ELSE 'middle' END,
                                  to_char(current_date - days + g.d, 'YYYY-MM-DD')), '')
           FROM most m, unnest(ARRAY[1, days / 2, days]) AS g (d)),
        '</svg><details><summary>As a table</summary><table><thead><tr><th scope="col">Week of</th>',
        (SELECT string_agg('<th scope="col" class="number">' || hoopguard.html_of(s) || '</th>', '' ORDER BY n)
           FROM unnest(series) WITH ORDINALITY AS u (s, n)),
        '</tr></thead><tbody>',
        (SELECT string_agg('<tr><th scope="row">' || w.week || '</th>' || w.cells || '</tr>', '' ORDER BY w.week) FROM (
            SELECT v.week, string_agg('<td class="number">' || v.value || '</td>', '' ORDER BY v.n) AS cells FROM (
                SELECT date_trunc('week', d.day)::date AS week, d.n, sum(d.value) AS value FROM day d GROUP BY 1, 2) v GROUP BY v.week) w),
        '</tbody></table></details>') END, '</figure>', E'\n')
$$;
COMMENT ON FUNCTION hoopguard.report_days(text, text, text[], text[], integer, jsonb) IS 'a chart of bars, one a day';

CREATE FUNCTION hoopguard.report_frame(title text, body text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $frame$
    SELECT concat($html$<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>$html$, hoopguard.html_of(title), $html$</title><style>
:root{--ground:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#556070;--line:#d5dae2;--accent:#1f5fbf;--a:#1f5fbf;--b:#9db8e0;--c:#b4530a;--d:#b3261e;--e:#6b4fa0;--f:#8a94a3;--g:#2c7a4b;
--low:#2c6a45;--lowg:#e0f1e6;--medium:#705300;--mediumg:#fbf0cd;--high:#9a3d00;--highg:#fde3d0;--critical:#fff;--criticalg:#b3261e}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){--ground:#12161d;--card:#1a2029;--ink:#e7ebf1;--soft:#a3aebd;--line:#343d4a;--accent:#8ab4f8;--a:#8ab4f8;--b:#5b7cb8;--c:#f0a35e;--d:#ff8a80;--e:#bda4ee;--f:#76818f;--g:#7fcf9d;
--low:#9fdcb5;--lowg:#1d3a29;--medium:#f1d27a;--mediumg:#3d3314;--high:#ffb98a;--highg:#4a2814;--critical:#fff;--criticalg:#b3261e}}
:root[data-theme=dark]{--ground:#12161d;--card:#1a2029;--ink:#e7ebf1;--soft:#a3aebd;--line:#343d4a;--accent:#8ab4f8;--a:#8ab4f8;--b:#5b7cb8;--c:#f0a35e;--d:#ff8a80;--e:#bda4ee;--f:#76818f;--g:#7fcf9d;
--low:#9fdcb5;--lowg:#1d3a29;--medium:#f1d27a;--mediumg:#3d3314;--high:#ffb98a;--highg:#4a2814;--critical:#fff;--criticalg:#b3261e;color-scheme:dark}
:root[data-theme=light]{color-scheme:light}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header,main,footer{max-width:1240px;margin:0 auto;padding:0 20px}header{padding-top:28px;display:flex;flex-wrap:wrap;gap:8px 16px;align-items:baseline}
h1{font-size:26px;margin:0;flex:1 1 auto}h2{font-size:18px;margin:0 0 6px}.note,header p,footer{color:var(--soft);margin:0 0 10px}header p{flex-basis:100%}
section,figure{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:16px 18px;margin:0 0 18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:16px 0 18px;padding:0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 16px}.tiles b{display:block;font-size:26px;line-height:1.2;font-variant-numeric:tabular-nums}.tiles span{color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(460px,1fr));gap:18px}.charts figure{margin:0}.charts{margin-bottom:18px}
@media (max-width:560px){.charts{grid-template-columns:1fr}}
figcaption{font-weight:600;font-size:16px;margin-bottom:6px}svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font-size:12px}svg .label{text-anchor:end}svg .middle{text-anchor:middle}svg .value{fill:var(--soft)}svg .grid{stroke:var(--line)}
rect.a{fill:var(--a)}rect.b{fill:var(--b)}rect.c{fill:var(--c)}rect.d{fill:var(--d)}rect.e{fill:var(--e)}rect.f{fill:var(--f)}rect.g{fill:var(--g)}
.key{display:inline-block;width:12px;height:12px;border-radius:2px;margin-right:6px}.key.a{background:var(--a)}.key.b{background:var(--b)}.key.c{background:var(--c)}.key.d{background:var(--d)}.key.e{background:var(--e)}.key.f{background:var(--f)}.key.g{background:var(--g)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px;margin:0 0 8px;padding:0;font-size:13px;color:var(--soft)}
.scroll{overflow:auto;max-height:640px}table{border-collapse:collapse;width:100%;font-size:14px}th,td{text-align:left;padding:5px 7px;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word;max-width:340px}
thead th{position:sticky;top:0;background:var(--card);white-space:nowrap;overflow-wrap:normal;z-index:1}th button{font:inherit;font-weight:600;color:inherit;background:none;border:0;padding:0;cursor:pointer}
th[aria-sort=ascending] button::after{content:" \25B2"}th[aria-sort=descending] button::after{content:" \25BC"}
.number{text-align:right;font-variant-numeric:tabular-nums}td.time,td.number,td.name{white-space:nowrap}td.name{overflow-wrap:normal}td.code{min-width:210px}code{overflow-wrap:anywhere;font:13px ui-monospace,"SF Mono",Consolas,monospace}
.risk{display:inline-block;white-space:nowrap;padding:0 8px;border-radius:9px;font-weight:600;font-size:13px}.risk.low{color:var(--low);background:var(--lowg)}.risk.medium{color:var(--medium);background:var(--mediumg)}.risk.high{color:var(--high);background:var(--highg)}.risk.critical{color:var(--critical);background:var(--criticalg)}
input,.theme{font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);border-radius:6px;padding:4px 10px}.filter{margin:0 0 8px}output{color:var(--soft);margin-left:8px}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}summary{cursor:pointer;color:var(--accent);font-size:13px;margin-top:6px}footer{padding-bottom:32px;font-size:13px}
@media print{.filter,.theme,summary{display:none}.scroll{max-height:none;overflow:visible}body{background:#fff;font-size:11px}section,figure{break-inside:auto;border-color:#bbb}figure,tr{break-inside:avoid}thead{display:table-header-group}thead th{position:static}.risk,rect,.key{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
</style></head><body>
$html$, body, $html$
<script>
'use strict';
(function(){
var root=document.documentElement,theme=document.querySelector('.theme');
theme.hidden=false;
theme.addEventListener('click',function(){var dark=root.dataset.theme?root.dataset.theme==='dark':matchMedia('(prefers-color-scheme:dark)').matches;root.dataset.theme=dark?'light':'dark'});
function key(row,i){var c=row.cells[i];return c.dataset.v!==undefined?+c.dataset.v:c.classList.contains('number')?(c.textContent===''?-1:parseFloat(c.textContent.replace(/,/g,''))):c.textContent.toLowerCase()}
document.querySelectorAll('section table').forEach(function(t){
 var body=t.tBodies[0],heads=t.tHead.rows[0].cells;
 Array.prototype.forEach.call(heads,function(h,i){h.firstChild.addEventListener('click',function(){
  var up=h.getAttribute('aria-sort')!=='ascending',rows=Array.prototype.slice.call(body.rows).map(function(r){return [key(r,i),r]});
  rows.sort(function(a,b){return a[0]<b[0]?(up?-1:1):a[0]>b[0]?(up?1:-1):0});
  Array.prototype.forEach.call(heads,function(o){o.setAttribute('aria-sort','none')});h.setAttribute('aria-sort',up?'ascending':'descending');
  var all=document.createDocumentFragment();rows.forEach(function(r){all.appendChild(r[1])});body.appendChild(all)})})});
document.querySelectorAll('input[data-for]').forEach(function(f){
 var body=document.getElementById(f.dataset.for).tBodies[0],out=document.getElementById(f.dataset.for+'-n');
 function show(){var words=f.value.toLowerCase().split(/\s+/).filter(Boolean),n=0;
  Array.prototype.forEach.call(body.rows,function(r){var text=r.textContent.toLowerCase(),hit=words.every(function(w){return text.indexOf(w)>=0});r.hidden=!hit;n+=hit});
  out.textContent=n+' of '+body.rows.length+' rows'}
 f.addEventListener('input',show);show()});
})();
</script></body></html>
$html$)
$frame$;
COMMENT ON FUNCTION hoopguard.report_frame(text, text) IS 'the page around the access report';

-- Statements a day by class of risk, and what masks and guardrails did.
CREATE FUNCTION hoopguard.report_activity(days integer) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    classes jsonb;
    kept jsonb;
BEGIN
    SELECT coalesce(jsonb_object_agg(d.day::text, d.counts), '{}') INTO classes FROM (
        SELECT c.day, jsonb_object_agg(c.sort, c.n) AS counts FROM (
            SELECT u.day, CASE WHEN u.class IN ('read.sensitive', 'write.unbounded') THEN u.class
                               WHEN u.class = 'read' OR u.class LIKE 'write%' OR u.class LIKE 'ddl%' THEN split_part(u.class, '.', 1)
                               ELSE 'other' END AS sort, sum(u.statements) AS n
              FROM hoopguard.usage_day u WHERE u.day > current_date - report_activity.days GROUP BY 1, 2) c GROUP BY c.day) d;
    SELECT coalesce(jsonb_object_agg(d.day::text, jsonb_build_object('masked', d.masked, 'refused', d.refused)), '{}') INTO kept FROM (
        SELECT u.day, sum(u.masked) AS masked, sum(u.refused) AS refused FROM hoopguard.usage_day u
         WHERE u.day > current_date - report_activity.days GROUP BY u.day) d;
    RETURN hoopguard.report_days('classes', format('Statements by class, last %s days', days),
               '{read,read.sensitive,write,write.unbounded,ddl,other}', '{b,a,g,d,e,f}', days, classes)
        || hoopguard.report_days('masked', format('Masked reads and refusals, last %s days', days), '{masked,refused}', '{a,d}', days, kept);
END
$$;
COMMENT ON FUNCTION hoopguard.report_activity(integer) IS 'the access report''s charts over time';

-- The page for an auditor: with a review, its items and decisions too. What is cut says how much there is.
CREATE FUNCTION hoopguard.access_report(review text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
    most_rows CONSTANT integer := 1000;
    many CONSTANT text := 'FM999,999,999,999';
    of_review hoopguard.review;
    title text := 'Access report';
    actors jsonb;
    total record;
    page text;
    rows jsonb;
    amount bigint;
BEGIN
    PERFORM hoopguard.require_control_database();
    IF access_report.review IS NOT NULL THEN
        SELECT r.* INTO of_review FROM hoopguard.review r WHERE r.name = access_report.review;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'review "%" does not exist', access_report.review
                USING ERRCODE = 'undefined_object', HINT = 'The names are in hoopguard.review.';
        END IF;
        title := 'Access review ' || of_review.name;
    END IF;
    SELECT jsonb_agg(to_jsonb(a)) INTO actors FROM hoopguard.access_by_actor() a;
    SELECT count(*) FILTER (WHERE a.kind NOT IN ('group', 'public')) AS actors, sum(a.held) AS held, sum(a.measured) AS measured,
           sum(a.used) AS used, sum(a.high + a.critical) AS risky, sum(a.jit) AS jit INTO total
      FROM jsonb_to_recordset(actors) AS a (kind text, held bigint, measured bigint, used bigint, high bigint, critical bigint, jit bigint);

    page := concat('<header><h1>', hoopguard.html_of(title), '</h1><button type="button" class="theme" hidden>Dark or light</button><p>',
        hoopguard.html_of(format('Made %s, control database %s.', to_char(now(), 'YYYY-MM-DD HH24:MI TZ'), current_database())),
        CASE WHEN of_review.name IS NOT NULL THEN hoopguard.html_of(format(
            ' Opened by %s on %s, due %s (%s), %s.', of_review.opened_by, of_review.opened_at::date,
            to_char(of_review.due, 'YYYY-MM-DD HH24:MI TZ'),
            CASE of_review.on_due WHEN 'revoke' THEN 'then what is undecided is revoked' ELSE 'then what is undecided is reported' END,
            CASE of_review.state WHEN 'closed' THEN format('closed by %s on %s', of_review.closed_by, of_review.closed_at::date)
                                 ELSE of_review.state END)) END,
        '</p></header><main>',
        '<ul class="tiles">',
        (SELECT string_agg(format('<li><b>%s</b><span>%s</span></li>', v.number, v.what), '' ORDER BY v.n) FROM (VALUES
            (1, to_char(total.actors, many), 'actors'), (2, to_char(total.held, many), 'privileges held'),
            (3, CASE WHEN total.measured > 0 THEN round(100.0 * total.used / total.measured, 1) || ' %' ELSE '-' END, 'of those that are measured were used'),
            (4, to_char(total.risky, many), 'of high or critical risk'), (5, to_char(total.jit, many), 'just in time')) AS v (n, number, what)),
        '</ul>', E'\n');

    -- Charts.
    page := page || '<div class="charts">';
    SELECT coalesce(jsonb_agg(jsonb_build_object('label', b.actor, 'note', format('%s held, %s used', to_char(b.measured, many), to_char(b.used, many)),
                                                 'parts', jsonb_build_array(b.measured, b.used)) ORDER BY b.place), '[]') INTO rows
      FROM (SELECT a.*, row_number() OVER (ORDER BY a.measured - a.used DESC, a.actor) AS place
              FROM jsonb_to_recordset(actors) AS a (actor text, kind text, measured bigint, used bigint)
             WHERE a.measured > 0 AND a.kind NOT IN ('group', 'public') ORDER BY a.measured - a.used DESC, a.actor LIMIT 12) b;
    page := page || hoopguard.report_bars('held', 'Privileges held and used: the dozen actors with most unused', '{held,used}', '{b,a}', rows, false);
    SELECT coalesce(jsonb_agg(jsonb_build_object('label', k.kind, 'note', format('%s standing, %s just in time', to_char(k.standing, many), to_char(k.jit, many)),
                                                 'parts', jsonb_build_array(k.standing, k.jit)) ORDER BY k.kind), '[]') INTO rows
      FROM (SELECT a.kind, sum(a.held - a.jit) AS standing, sum(a.jit) AS jit
              FROM jsonb_to_recordset(actors) AS a (kind text, held bigint, jit bigint) GROUP BY a.kind) k;
    page := page || hoopguard.report_bars('standing', 'Standing and just-in-time, by kind of actor', '{standing,just in time}', '{c,g}', rows, true);
    page := page || hoopguard.report_activity(90) || '</div>';

    -- Findings.
    SELECT coalesce(jsonb_agg(jsonb_build_array(replace(f.finding, '_', ' '), f.actor, f.detail, f.remedy) ORDER BY f.place), '[]'), coalesce(max(f.n), 0) INTO rows, amount
      FROM (SELECT f.*, count(*) OVER () AS n,
                   row_number() OVER (ORDER BY f.finding = 'unused_privileges', f.finding = 'dormant_account', f.finding, f.actor) AS place
              FROM hoopguard.access_findings(actors => actors) f) f WHERE f.place <= most_rows;
    page := page || hoopguard.report_table('findings', 'Findings', '{Finding,Actor,Detail,Remedy}', '{name,text,text,code}', rows,
        CASE WHEN amount > most_rows THEN format('The first %s of %s; all are in hoopguard.access_finding.', most_rows, to_char(amount, many)) END);

    -- The review.
    IF of_review.name IS NOT NULL THEN
        SELECT coalesce(jsonb_agg(jsonb_build_array(i.id, i.risk, i.actor, coalesce(i.database, 'cluster'),
                   CASE WHEN i.object_kind <> 'cluster' THEN i.object_kind || ' ' || i.object END, i.privilege,
                   to_char(i.last_used, 'YYYY-MM-DD'), i.reviewer,
                   concat_ws(', ', coalesce(i.decision, 'undecided'), i.decided_by, to_char(i.decided_at, 'YYYY-MM-DD'), i.comment,
                             nullif(nullif(i.outcome, 'kept'), 'revoked')),
                   coalesce(i.revoke_statement, i.note)) ORDER BY i.place), '[]'), coalesce(max(i.n), 0)
          INTO rows, amount
          FROM (SELECT i.*, count(*) OVER () AS n, row_number() OVER (ORDER BY i.decision IS NOT NULL,
                       array_position(ARRAY['critical', 'high', 'medium', 'low'], i.risk), i.uses > 0, i.id) AS place
                  FROM hoopguard.review_item i WHERE i.review = of_review.name) i WHERE i.place <= most_rows;
        page := page || hoopguard.report_table('items', 'Items of the review',
            '{No,Risk,Actor,Database,Object,Privilege,Last used,Reviewer,Decision,Statement}',
            '{number,risk,text,text,text,text,time,text,text,code}', rows,
            (SELECT format('%s items: %s kept, %s revoked, %s undecided.', to_char(count(*), many), count(*) FILTER (WHERE i.decision = 'keep'),
                           count(*) FILTER (WHERE i.decision = 'revoke'), count(*) FILTER (WHERE i.decision IS NULL))
               FROM hoopguard.review_item i WHERE i.review = of_review.name)
            || CASE WHEN amount > most_rows THEN format(' Shown are %s, undecided and risky ones first; all are in hoopguard.review_item.', most_rows) ELSE '' END);
    END IF;

    -- Actors.
    SELECT coalesce(jsonb_agg(jsonb_build_array(a.actor, a.kind, a.owner, to_char(a.held, many), to_char(a.measured - a.used, many), to_char(a.critical, many),
               to_char(a.high, many), to_char(a.medium, many), to_char(a.low, many), to_char(a.jit, many), to_char(a.last_used, 'YYYY-MM-DD HH24:MI'))
               ORDER BY a.place), '[]'), coalesce(max(a.n), 0) INTO rows, amount
      FROM (SELECT a.*, count(*) OVER () AS n, row_number() OVER (ORDER BY a.critical DESC, a.high DESC, a.held DESC, a.actor) AS place
              FROM jsonb_to_recordset(actors) AS a (actor text, kind text, owner text, held bigint, measured bigint, used bigint, low bigint,
                   medium bigint, high bigint, critical bigint, jit bigint, last_used timestamptz)) a WHERE a.place <= most_rows;
    page := page || hoopguard.report_table('actors', 'Actors',
        '{Actor,Kind,Owner,Held,Unused,Critical,High,Medium,Low,Just in time,Last used}',
        '{text,text,text,number,number,number,number,number,number,number,time}', rows,
        CASE WHEN amount > most_rows THEN format('The first %s of %s, by risk.', most_rows, to_char(amount, many)) END);

    -- The privileges that matter most, where they are given: memberships and grants rather than what follows from them.
    SELECT coalesce(jsonb_agg(jsonb_build_array(p.risk, p.actor, p.kind, coalesce(p.database, 'cluster'),
               CASE WHEN p.object_kind <> 'cluster' THEN p.object_kind || ' ' || p.object END, p.privilege,
               p.source, coalesce(to_char(p.last_used, 'YYYY-MM-DD'), CASE WHEN p.uses = 0 THEN 'never' END), p.why) ORDER BY p.place), '[]'),
           coalesce(max(p.n), 0) INTO rows, amount
      FROM (SELECT r.*, count(*) OVER () AS n, row_number() OVER (ORDER BY array_position(ARRAY['critical', 'high', 'medium'], r.risk),
                   r.kind <> 'agent', coalesce(r.last_used, '-infinity'), r.actor, r.object, r.privilege) AS place
              FROM hoopguard.access_given r
             WHERE r.source IN ('direct', 'owner', 'jit') AND r.kind <> 'predefined' AND r.risk IN ('medium', 'high', 'critical')) p
     WHERE p.place <= most_rows;
    page := page || hoopguard.report_table('privileges', 'Privileges by risk',
        '{Risk,Actor,Kind,Database,Object,Privilege,Source,Last used,Why}', '{risk,text,text,text,text,text,text,time,text}', rows,
        'Granted, owned or just in time, of medium risk or more; what is had by membership counts at the role that holds it.'
        || CASE WHEN amount > most_rows THEN format(' The first %s of %s; all are in hoopguard.access.', most_rows, to_char(amount, many)) ELSE '' END);

    -- Where all this was looked at.
    SELECT coalesce(jsonb_agg(jsonb_build_array(d.datname,
               CASE WHEN d.datname = current_database() THEN 'now' ELSE coalesce(to_char(g.gathered_at, 'YYYY-MM-DD HH24:MI'), 'never') END, g.error)
               ORDER BY d.datname), '[]') INTO rows
      FROM pg_database d LEFT JOIN hoopguard.access_gathering g ON g.database = d.datname WHERE d.datallowconn;
    page := page || hoopguard.report_table('databases', 'Databases looked at', '{Database,Looked at,Fault}', '{text,time,text}', rows);
    page := page || concat('</main><footer><p>Risk: ', hoopguard.html_of(
        'what the privilege lets do gives a level (low, medium, high, critical); held by an agent or passed on raises it by one, '
        'just in time lowers it by one. Unused counts what use of is recorded: tables, views, sequences, functions, schemas, connections, memberships.'),
        '</p></footer>');
    RETURN hoopguard.report_frame(title, page);
END
$$;
COMMENT ON FUNCTION hoopguard.access_report(text) IS
    'one page of HTML about who may do what and who did, with the items of a review; it needs nothing beside itself';

REVOKE ALL ON FUNCTION hoopguard.report_activity(integer), hoopguard.access_report(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.access_report(text) TO hoopguard_admin, hoopguard_auditor;
