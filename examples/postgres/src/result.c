/* What the server answered, as values. */
#include "connection.h"

#include <stdlib.h>
#include <string.h>

static const struct {
  int field;
  const char *name;
} texts[] = {
    {PG_DIAG_SEVERITY_NONLOCALIZED, "severity"},
    {PG_DIAG_MESSAGE_DETAIL, "detail"},
    {PG_DIAG_MESSAGE_HINT, "hint"},
    {PG_DIAG_CONTEXT, "where"},
    {PG_DIAG_SCHEMA_NAME, "schema"},
    {PG_DIAG_TABLE_NAME, "table"},
    {PG_DIAG_COLUMN_NAME, "column"},
    {PG_DIAG_DATATYPE_NAME, "dataType"},
    {PG_DIAG_CONSTRAINT_NAME, "constraint"},
};

fibril_value result_error(const PGresult *result) {
  const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message == NULL) message = PQresultErrorMessage(result); /* libpq's own words */
  fibril_value error =
      fibril_error_type("Error", code == NULL ? "08006" : code, "%.*s",
                        (int)(code == NULL ? strcspn(message, "\n") : strlen(message)), message);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    const char *text = PQresultErrorField(result, texts[i].field);
    if (text != NULL)
      fibril_error_set(error, texts[i].name, fibril_string(text, FIBRIL_AUTO_LENGTH));
  }
  const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
  if (position != NULL) fibril_error_set(error, "position", fibril_number(atoi(position)));
  return error;
}

fibril_value result_fields(const PGresult *result) {
  int count = PQnfields(result);
  fibril_value fields = fibril_array((size_t)count);
  for (int i = 0; i < count; i++) {
    fibril_value field = fibril_object();
    int err =
        fibril_object_set(field, "name", fibril_string(PQfname(result, i), FIBRIL_AUTO_LENGTH));
    if (err == 0) err = fibril_object_set(field, "type", fibril_number(PQftype(result, i)));
    if (err == 0) err = fibril_array_push(fields, field);
    if (err != 0) return fibril_error(UV_ENOMEM, NULL);
  }
  return fields;
}

fibril_value result_row(const PGresult *result, int row) {
  int count = PQnfields(result);
  fibril_value values = fibril_array((size_t)count);
  for (int i = 0; i < count; i++) {
    fibril_value value = PQgetisnull(result, row, i)
                             ? fibril_null()
                             : type_value(PQftype(result, i), PQgetvalue(result, row, i),
                                          (size_t)PQgetlength(result, row, i));
    if (fibril_is_error(value) || fibril_array_push(values, value) != 0)
      return fibril_error(UV_ENOMEM, NULL);
  }
  return values;
}

/* "INSERT 0 3" is the command INSERT, which touched 3 rows. */
static int set_command(fibril_value object, PGresult *result) {
  const char *tag = PQcmdStatus(result), *count = PQcmdTuples(result);
  size_t length = strcspn(tag, "0123456789");
  while (length > 0 && tag[length - 1] == ' ') length--;
  int err = fibril_object_set(object, "command", fibril_string(tag, length));
  if (err != 0) return err;
  return fibril_object_set(object, "rowCount", fibril_number(*count == '\0' ? 0 : atof(count)));
}

fibril_value result_value(PGresult *result) {
  int count = PQntuples(result);
  fibril_value object = fibril_object(), rows = fibril_array((size_t)count);
  int err = 0;
  for (int i = 0; i < count && err == 0; i++) {
    fibril_value row = result_row(result, i);
    err = fibril_is_error(row) ? UV_ENOMEM : fibril_array_push(rows, row);
  }
  if (err == 0) err = fibril_object_set(object, "fields", result_fields(result));
  if (err == 0) err = fibril_object_set(object, "rows", rows);
  if (err == 0) err = set_command(object, result);
  return err == 0 ? object : fibril_error(UV_ENOMEM, NULL);
}
