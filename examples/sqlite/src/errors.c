/* What JavaScript gets when something fails. */
#include "sqlite.h"

fibril_value error_of(database *db, int rc) {
  if (fibril_is_error(db->thrown)) { /* what a function threw, rather than what SQLite says of it */
    fibril_value thrown = db->thrown;
    db->thrown = fibril_undefined();
    return thrown;
  }
  int extended = rc, offset = -1;
  const char *message = sqlite3_errstr(rc);
  if (db->sqlite != NULL && (sqlite3_errcode(db->sqlite) & 0xff) == (rc & 0xff)) {
    extended = sqlite3_extended_errcode(db->sqlite);
    message = sqlite3_errmsg(db->sqlite);
    offset = sqlite3_error_offset(db->sqlite);
  }
  fibril_value error = fibril_error_type("SqliteError", code_name(extended), "%s", message);
  int err = fibril_error_set(error, "errcode", fibril_number(extended));
  if (err == 0 && offset >= 0) err = fibril_error_set(error, "offset", fibril_number(offset));
  return err == 0 ? error : fibril_error(err, NULL);
}

fibril_value error_misuse(const char *class_name, const char *code, const char *text) {
  return fibril_error_type(class_name, code, "%s", text);
}

fibril_value error_closed(void) {
  return error_misuse("TypeError", "ERR_SQLITE_CLOSED", "The database connection is not open");
}

fibril_value error_busy(void) {
  return error_misuse("TypeError", "ERR_SQLITE_BUSY",
                      "The database connection is busy executing a query");
}
