import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Counts under a lock on the registry itself, which is fcntl's: FILE ROUNDS. */
class Counter {
    public static void main(String[] args) throws Exception {
        Pattern hits = Pattern.compile("\"hits\":\\s*(\\d+)");
        for (int i = Integer.parseInt(args[1]); i > 0; i--) {
            try (RandomAccessFile f = new RandomAccessFile(args[0], "rw"); FileLock lock = f.getChannel().lock()) {
                byte[] old = new byte[(int) f.length()];
                f.readFully(old);
                Matcher m = hits.matcher(new String(old, "UTF-8"));
                if (!m.find()) {
                    throw new IllegalStateException("not a counter");
                }
                byte[] text = m.replaceFirst("\"hits\":" + (Long.parseLong(m.group(1)) + 1)).getBytes("UTF-8");
                f.seek(0);
                f.setLength(0);
                f.write(text);
            }
        }
    }
}
