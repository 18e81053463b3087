using System.Security.Cryptography;

namespace Ticketing.Demo.Database;

/// <summary>The directory of one private cluster, and the lock that shows that its owner lives.</summary>
/// <remarks>The kernel drops the lock with the process, however that ended: a directory whose lock can be had belongs to nobody.</remarks>
internal sealed class ClusterDirectory : IDisposable
{
    private const string Prefix = "shadow-ticketing-pg-";
    private const string LockSuffix = ".lock";

    // As root, PostgreSQL runs as somebody else, who may not be let into root's own temporary directory.
    private static readonly string Parent = Environment.IsPrivilegedProcess ? "/tmp" : System.IO.Path.GetTempPath();

    private readonly FileStream _lock;

    private ClusterDirectory(string path, FileStream held) => (Path, _lock) = (path, held);

    public string Path { get; }

    public string Data => System.IO.Path.Combine(Path, "data");

    /// <summary>A name that is free and locked; the directory itself is for the server's user to make.</summary>
    public static ClusterDirectory Reserve()
    {
        var path = System.IO.Path.Combine(Parent, Prefix + RandomNumberGenerator.GetHexString(8, lowercase: true));
        return new(path, new FileStream(path + LockSuffix, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None));
    }

    /// <summary>Removes what killed owners left behind, as far as it is ours to remove.</summary>
    public static void RemoveAbandoned()
    {
        foreach (var file in Directory.EnumerateFiles(Parent, Prefix + "*" + LockSuffix))
        {
            try
            {
                using var held = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
                var abandoned = new ClusterDirectory(file[..^LockSuffix.Length], held);
                if (!abandoned.IsServed()) abandoned.Dispose();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Its owner lives, or it is somebody else's.
            }
        }
    }

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
        File.Delete(Path + LockSuffix);
        _lock.Dispose();
    }

    private bool IsServed()
    {
        var pidFile = System.IO.Path.Combine(Data, "postmaster.pid");
        if (!File.Exists(pidFile)) return false;
        var commandLine = $"/proc/{File.ReadLines(pidFile).FirstOrDefault()}/cmdline";
        return File.Exists(commandLine) && File.ReadAllText(commandLine).Contains(Path, StringComparison.Ordinal);
    }
}
