using System.Security.Cryptography;

namespace Ticketing.Demo.Database;

/// <summary>The directory of one private cluster, and the lock that shows that its owner is running.</summary>
/// <remarks>
/// The kernel releases the lock when the process ends, even if it was killed. A directory whose lock is free is abandoned.
/// </remarks>
internal sealed class ClusterDirectory : IDisposable
{
    private const string Prefix = "shadow-ticketing-pg-";
    private const string LockSuffix = ".lock";

    // Run by root, PostgreSQL runs as another user, who may have no access to root's own temporary directory.
    private static readonly string Parent = Environment.IsPrivilegedProcess ? "/tmp" : System.IO.Path.GetTempPath();

    private readonly FileStream _lock;

    private ClusterDirectory(string path, FileStream held) => (Path, _lock) = (path, held);

    public string Path { get; }

    public string Data => System.IO.Path.Combine(Path, "data");

    /// <summary>Reserves and locks a free name. The server's user creates the directory itself.</summary>
    public static ClusterDirectory Reserve()
    {
        var path = System.IO.Path.Combine(Parent, Prefix + RandomNumberGenerator.GetHexString(8, lowercase: true));
        return new(path, new FileStream(path + LockSuffix, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None));
    }

    /// <summary>Removes the directories of killed owners, where the permissions allow it.</summary>
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
                // The owner is still running, or the directory belongs to another user.
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
