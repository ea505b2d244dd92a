-- Schemas and accounts of kmsd on a MariaDB server of your own (10.11.8 or newer). Run once as the server's administrator:
--
--     mariadb < conf/sql/accounts.sql
--
-- Without `database.url` kmsd starts a private server and makes exactly these by itself; a test keeps the two alike.
--
-- Accounts are made locked. Then, for each of the five, with a password from the first line of a file of mode 0600 that the
-- setting `database.password-file` names:
--
--     ALTER USER 'kms'@'localhost' IDENTIFIED BY '…' ACCOUNT UNLOCK;
--
-- For nodes on other machines replace 'localhost' by the nodes' address or network ('10.1.2.%') and add REQUIRE SSL.
-- The runtime accounts `kms` and `platform` get no rights here. `kmsd migrate` (as `kms_migrate`, `platform_migrate`) gives
-- them their rights table by table: INSERT and SELECT alone on audit and ledger tables, no DDL anywhere, and nothing on the
-- other schema. `kms_auditor` reads the tables that the migrations open to auditors.

CREATE SCHEMA IF NOT EXISTS kms CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE SCHEMA IF NOT EXISTS platform CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE USER IF NOT EXISTS 'kms'@'localhost' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS 'platform'@'localhost' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS 'kms_migrate'@'localhost' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS 'platform_migrate'@'localhost' ACCOUNT LOCK;
CREATE USER IF NOT EXISTS 'kms_auditor'@'localhost' ACCOUNT LOCK;

GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW
    ON kms.* TO 'kms_migrate'@'localhost' WITH GRANT OPTION;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW
    ON platform.* TO 'platform_migrate'@'localhost' WITH GRANT OPTION;
