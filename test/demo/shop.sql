-- A shop with 12,000 customers: realistic personal data, the same in every run. Nobody in it exists: names are
-- combined by hash, mail addresses are of reserved domains, telephone numbers of the exchange 555, and card
-- numbers are only well-formed (they pass the Luhn check).
\set ON_ERROR_STOP on
SET client_min_messages = warning;

CREATE TABLE customer (
    id          int PRIMARY KEY,
    first_name  text NOT NULL,
    last_name   text NOT NULL,
    email       text NOT NULL UNIQUE,
    phone       text NOT NULL,
    ssn         text NOT NULL UNIQUE,
    card        text NOT NULL,
    birth_date  date NOT NULL,
    street      text NOT NULL,
    city        text NOT NULL,
    state       text NOT NULL,
    zip         text NOT NULL,
    segment     text NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE TABLE product (
    id    int PRIMARY KEY,
    name  text NOT NULL,
    price numeric(10,2) NOT NULL
);
CREATE TABLE orders (
    id          int PRIMARY KEY,
    customer_id int NOT NULL,
    ordered_at  timestamptz NOT NULL,
    status      text NOT NULL
);
CREATE TABLE order_item (
    order_id   int NOT NULL,
    line       int NOT NULL,
    product_id int NOT NULL,
    quantity   int NOT NULL,
    price      numeric(10,2) NOT NULL,
    PRIMARY KEY (order_id, line)
);
CREATE TABLE support_ticket (
    id          int PRIMARY KEY,
    customer_id int NOT NULL,
    opened_at   timestamptz NOT NULL,
    subject     text NOT NULL,
    body        text NOT NULL
);

-- A number from 0 below `below`, decided by `subject` and `id` alone. Only immutable functions stand in it, so
-- that PostgreSQL inlines it: a call that is not inlined is a statement of its own, and on record as one.
CREATE FUNCTION pg_temp.pick(subject text, id bigint, below bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || substr(md5(subject || ':' || id::text), 1, 15))::bit(60)::bigint % below
$$;
CREATE FUNCTION pg_temp.one_of(subject text, id bigint, choices text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT choices[1 + pg_temp.pick(subject, id, cardinality(choices))]
$$;
-- `digits` and the check digit that ISO/IEC 7812-1 (Luhn) asks for.
CREATE FUNCTION pg_temp.with_check_digit(digits text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT digits || (10 - sum(CASE WHEN place % 2 = 0 THEN digit
                                    WHEN digit < 5 THEN digit * 2 ELSE digit * 2 - 9 END) % 10) % 10
      FROM (SELECT substr(digits, length(digits) - place + 1, 1)::int AS digit, place
              FROM generate_series(1, length(digits)) AS place) AS digit
$$;

CREATE TEMP TABLE word (kind text PRIMARY KEY, choices text[]);
INSERT INTO word VALUES
('first_name', '{James,Mary,Robert,Patricia,John,Jennifer,Michael,Linda,David,Elizabeth,William,Barbara,Richard,
  Susan,Joseph,Jessica,Thomas,Sarah,Carlos,Karen,Daniel,Lisa,Matthew,Nancy,Anthony,Betty,Mark,Sandra,José,Margaret,
  Steven,Ashley,Paul,Kimberly,Andrew,Emily,Joshua,Donna,Kenneth,Michelle,Kevin,Carol,Brian,Amanda,George,Melissa,
  Timothy,Deborah,Ronald,Stephanie,Edward,Rebecca,Jason,Sharon,Jeffrey,Laura,Ryan,Cynthia,Jacob,Dorothy,Zoë,Amy,
  Nicholas,Angela,Eric,Shirley,Jonathan,Anna,Stephen,Brenda,Larry,Pamela,Justin,Emma,Scott,Nicole,Brandon,Helen,
  Benjamin,Samantha,Samuel,Katherine,Gregory,Christine,Jürgen,Debra,Wei,Mei,Raj,Priya,Hiroshi,Yuki,Ahmed,Fatima,
  Łukasz,Agnieszka,Olumide,Ngozi,Siobhán,Mateo}'),
('last_name', '{Smith,Johnson,Williams,Brown,Jones,Garcia,Miller,Davis,Rodriguez,Martinez,Hernandez,Lopez,Gonzalez,
  Wilson,Anderson,Thomas,Taylor,Moore,Jackson,Martin,Lee,Perez,Thompson,White,Harris,Sanchez,Clark,Ramirez,Lewis,
  Robinson,Walker,Young,Allen,King,Wright,Scott,Torres,Nguyen,Hill,Flores,Green,Adams,Nelson,Baker,Hall,Rivera,
  Campbell,Mitchell,Carter,Roberts,Gomez,Phillips,Evans,Turner,Diaz,Parker,Cruz,Edwards,Collins,Reyes,Stewart,
  Morris,Morales,Murphy,Cook,Rogers,Gutierrez,Ortiz,Morgan,Cooper,Peterson,Bailey,Reed,Kelly,Howard,Ramos,Kim,Cox,
  Ward,Richardson,Watson,Brooks,Chavez,Wood,James,Bennett,Gray,Mendoza,Ruiz,Hughes,Price,Alvarez,Castillo,Sanders,
  Patel,Myers,Long,Ross,Foster,Jimenez,O''Brien,Müller,Nowak,Okafor,Tanaka,Zhang,Haddad,Lindström,van der Berg}'),
('street', '{Main Street,Oak Avenue,Pine Street,Maple Avenue,Cedar Lane,Elm Street,Washington Street,Lake Road,
  Hill Road,Park Avenue,Sunset Boulevard,Lincoln Avenue,Jackson Street,Church Street,River Road,Spring Street,
  Highland Avenue,Mill Road,Forest Drive,Jefferson Street,Center Street,Chestnut Street,Prospect Avenue,Union Street}'),
('place', '{New York|NY|100,Los Angeles|CA|900,Chicago|IL|606,Houston|TX|770,Phoenix|AZ|850,Philadelphia|PA|191,
  San Antonio|TX|782,San Diego|CA|921,Dallas|TX|752,Austin|TX|787,Columbus|OH|432,Charlotte|NC|282,Seattle|WA|981,
  Denver|CO|802,Boston|MA|021,Nashville|TN|372,Detroit|MI|482,Portland|OR|972,Memphis|TN|381,Baltimore|MD|212,
  Milwaukee|WI|532,Albuquerque|NM|871,Kansas City|MO|641,Atlanta|GA|303,Omaha|NE|681,Raleigh|NC|276,Miami|FL|331,
  Minneapolis|MN|554,Tampa|FL|336,New Orleans|LA|701}'),
('area_code', '{212,213,312,713,602,215,210,619,214,512,614,704,206,303,617,615,313,503,901,410,414,505,816,404,402,
  919,305,612,813,504}'),
('thing', '{Lamp,Kettle,Chair,Desk,Backpack,Blanket,Teapot,Notebook,Headphones,Speaker,Watch,Umbrella,Skillet,Mug,
  Mirror,Shelf,Clock,Pillow,Tent,Bicycle Bell}'),
('trait', '{Oak,Steel,Linen,Copper,Compact,Foldable,Classic,Wireless,Enamel,Walnut}');
-- The lists above are broken over lines; a word keeps its inner spaces only.
UPDATE word SET choices = ARRAY(SELECT btrim(choice, E' \n') FROM unnest(choices) WITH ORDINALITY AS c (choice, n)
                                 ORDER BY n);

INSERT INTO customer
SELECT id, first_name, last_name,
       -- ASCII, as most mail addresses are; the number keeps it unique.
       regexp_replace(translate(lower(first_name || '.' || last_name), 'éëüłáö'' ', 'eeulao'), '[^a-z.]', '', 'g')
           || id || '@' || pg_temp.one_of('domain', id, '{example.com,example.net,example.org,mail.example.com}'),
       format('+1 (%s) 555-%s', area_code[place_no], lpad(pg_temp.pick('phone', id, 10000)::text, 4, '0')),
       -- Area 1-665, group 1-99, serial: a permutation of the ids keeps it unique.
       format('%s-%s-%s', lpad((1 + pg_temp.pick('area', id, 665))::text, 3, '0'),
              lpad((1 + pg_temp.pick('group', id, 99))::text, 2, '0'), lpad((id * 7919 % 9973 % 9999 + 1)::text, 4, '0')),
       CASE pg_temp.pick('network', id, 10)
           WHEN 0 THEN pg_temp.with_check_digit('37' || lpad(pg_temp.pick('card', id, 1000000000000)::text, 12, '0'))
           WHEN 1 THEN pg_temp.with_check_digit('6011' || lpad(pg_temp.pick('card', id, 100000000000)::text, 11, '0'))
           WHEN 2 THEN pg_temp.with_check_digit('5' || (1 + pg_temp.pick('bin', id, 5))::text
                                                || lpad(pg_temp.pick('card', id, 10000000000000)::text, 13, '0'))
           WHEN 3 THEN pg_temp.with_check_digit('5' || (1 + pg_temp.pick('bin', id, 5))::text
                                                || lpad(pg_temp.pick('card', id, 10000000000000)::text, 13, '0'))
           ELSE pg_temp.with_check_digit('4' || lpad(pg_temp.pick('card', id, 100000000000000)::text, 14, '0'))
       END,
       date '1940-01-01' + pg_temp.pick('birth', id, 24500)::int,
       1 + pg_temp.pick('house', id, 9899) || ' ' || pg_temp.one_of('street', id, street),
       split_part(place[place_no], '|', 1), split_part(place[place_no], '|', 2),
       split_part(place[place_no], '|', 3) || lpad(pg_temp.pick('zip', id, 100)::text, 2, '0'),
       pg_temp.one_of('segment', id, '{private,private,private,business}'),
       timestamptz '2019-01-01 00:00:00+00' + pg_temp.pick('created', id, 150000000) * interval '1 second'
  FROM generate_series(1, 12000) AS id,
       (SELECT choices FROM word WHERE kind = 'street') AS s (street),
       (SELECT choices FROM word WHERE kind = 'place') AS p (place),
       (SELECT choices FROM word WHERE kind = 'area_code') AS a (area_code),
       LATERAL (SELECT pg_temp.one_of('first', id, choices) FROM word WHERE kind = 'first_name') AS f (first_name),
       LATERAL (SELECT pg_temp.one_of('last', id, choices) FROM word WHERE kind = 'last_name') AS l (last_name),
       LATERAL (SELECT 1 + pg_temp.pick('place', id, cardinality(place))::int) AS n (place_no);

INSERT INTO product
SELECT id, pg_temp.one_of('trait', id, trait) || ' ' || pg_temp.one_of('thing', id, thing),
       (499 + pg_temp.pick('price', id, 20000)) / 100.0
  FROM generate_series(1, 400) AS id, (SELECT choices FROM word WHERE kind = 'trait') AS t (trait),
       (SELECT choices FROM word WHERE kind = 'thing') AS g (thing);
INSERT INTO orders
SELECT id, 1 + pg_temp.pick('buyer', id, 12000),
       timestamptz '2024-01-01 00:00:00+00' + pg_temp.pick('when', id, 50000000) * interval '1 second',
       pg_temp.one_of('status', id, '{delivered,delivered,delivered,shipped,paid,returned}')
  FROM generate_series(1, 30000) AS id;
INSERT INTO order_item
SELECT orders.id, line, product.id, 1 + pg_temp.pick('quantity', orders.id * 10 + line, 3), product.price
  FROM orders
 CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.pick('lines', orders.id, 4)::int) AS line
  JOIN product ON product.id = 1 + pg_temp.pick('item', orders.id * 10 + line, 400);
INSERT INTO support_ticket
SELECT t, c.id, timestamptz '2024-06-01 00:00:00+00' + pg_temp.pick('ticket', t, 30000000) * interval '1 second',
       pg_temp.one_of('subject', t, '{Parcel not arrived,Wrong size,Refund,Change of address,Card declined}'),
       format('Hello, this is %s %s. Please call me at %s or write to %s.', c.first_name, c.last_name, c.phone, c.email)
  FROM generate_series(1, 3000) AS t JOIN customer AS c ON c.id = 1 + pg_temp.pick('asker', t, 12000);

ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customer;
ALTER TABLE order_item ADD FOREIGN KEY (order_id) REFERENCES orders, ADD FOREIGN KEY (product_id) REFERENCES product;
ALTER TABLE support_ticket ADD FOREIGN KEY (customer_id) REFERENCES customer;
CREATE INDEX ON customer (last_name, first_name);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON support_ticket (customer_id);
ANALYZE customer, product, orders, order_item, support_ticket;

-- The data must be what the text above says.
DO $$
DECLARE
    wrong int;
BEGIN
    SELECT count(*) INTO wrong FROM customer
     WHERE card <> pg_temp.with_check_digit(left(card, -1)) OR length(card) NOT IN (15, 16)
        OR ssn !~ '^\d{3}-\d{2}-\d{4}$' OR email !~ '^[a-z.]+\d+@[a-z.]+$' OR zip !~ '^\d{5}$'
        OR phone !~ '^\+1 \(\d{3}\) 555-\d{4}$' OR first_name = '' OR last_name ~ '^\s|\n' OR street ~ '\n';
    IF wrong > 0 OR (SELECT count(*) FROM customer) < 10000 THEN
        RAISE EXCEPTION '% customers are not well-formed', wrong;
    END IF;
END
$$;

GRANT SELECT ON customer TO support, billing;
