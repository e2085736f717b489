import java.sql.DriverManager;

/** What pgjdbc gets to see: java Query.java URL USER QUERY, with the password from PGPASSWORD. */
class Query {
    public static void main(String[] arguments) throws Exception {
        try (var connection = DriverManager.getConnection(arguments[0], arguments[1], System.getenv("PGPASSWORD"));
                var result = connection.prepareStatement(arguments[2]).executeQuery()) {
            while (result.next()) {
                var row = new StringBuilder();
                for (int i = 1; i <= result.getMetaData().getColumnCount(); i++)
                    row.append(i > 1 ? "|" : "").append(result.getString(i));
                System.out.println(row);
            }
        }
    }
}
