import java.sql.*;
import java.util.Properties;

/** pgjdbc with a token as password. */
public class Login {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.put("user", "agent");
        properties.put("password", arguments[1]);
        properties.put("sslmode", "verify-full");
        properties.put("sslrootcert", arguments[2]);
        try (Connection connection = DriverManager.getConnection("jdbc:postgresql://localhost:" + arguments[0] + "/postgres", properties);
             ResultSet row = connection.createStatement().executeQuery("SELECT actor, effective_role FROM hoopguard.whoami()")) {
            row.next();
            System.out.println(row.getString(1) + "|" + row.getString(2));
        }
    }
}
