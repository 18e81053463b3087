using System.Globalization;

namespace Shadowing.Settings;

/// <summary>
/// Recording of requests to a file, to be replayed against another build. The file holds what users sent, encrypted; recording is off until
/// it is opened for a time, by an owner and for a reason, and that is audited.
/// </summary>
public sealed class RecordingOptions
{
    /// <summary>The time until which requests are recorded.</summary>
    /// <value>At most 24 hours ahead when it is set; a time that has passed records nothing. The default is never.</value>
    public DateTimeOffset? Until { get; set; }

    /// <summary>Who is responsible for it; required with <see cref="Until"/>.</summary>
    public string? Owner { get; set; }

    /// <summary>Why it is needed; required with <see cref="Until"/>.</summary>
    public string? Reason { get; set; }

    /// <summary>The directory to which the files go, one for each run of the service; required with <see cref="Until"/>.</summary>
    public string? Directory { get; set; }

    /// <summary>The key that encrypts recordings, and that reads them to be replayed: 32 bytes in base64. A secret.</summary>
    public string? Key { get; set; }

    /// <summary>The share of requests that is recorded, in percent.</summary>
    /// <value>Above 0, up to 100. The default is 10.</value>
    public double Percent { get; set; } = 10;

    /// <summary>The largest size of a file, in bytes; then nothing more is recorded by this run.</summary>
    /// <value>64 KiB to 1 GiB. The default is 64 MiB.</value>
    public long MaxBytes { get; set; } = 64L << 20;

    /// <summary>Whether requests are recorded at a time.</summary>
    public bool IsOpen(DateTimeOffset now) => Until > now;

    /// <summary>The key's bytes; null where there is none, or it is not one.</summary>
    internal byte[]? KeyBytes()
    {
        var bytes = new byte[32];
        return Convert.TryFromBase64String(Key ?? "", bytes, out var written) && written == bytes.Length ? bytes : null;
    }

    /// <summary>What is wrong with it, in words; a key is never quoted.</summary>
    internal IEnumerable<string> Failures(string path, DateTimeOffset now)
    {
        if (!string.IsNullOrEmpty(Key) && KeyBytes() is null)
            yield return $"{path}:Key is not 32 bytes in base64; `openssl rand -base64 32` prints one.";
        if (Percent is not (> 0 and <= 100))
            yield return string.Create(CultureInfo.InvariantCulture, $"{path}:Percent = '{Percent}': it is above 0, up to 100.");
        if (MaxBytes is < 64 << 10 or > 1L << 30)
            yield return string.Create(CultureInfo.InvariantCulture, $"{path}:MaxBytes = '{MaxBytes}': it is between 65536 and "
                + $"1073741824.");
        if (Until is not { } until) yield break;
        if (until > now + TimeSpan.FromHours(24))
            yield return string.Create(CultureInfo.InvariantCulture, $"{path}:Until = '{until:O}': it is more than 24 hours ahead.");
        if (string.IsNullOrWhiteSpace(Owner)) yield return $"{path}:Owner is missing: a recording needs an owner.";
        if (string.IsNullOrWhiteSpace(Reason)) yield return $"{path}:Reason is missing: a recording needs one.";
        if (string.IsNullOrWhiteSpace(Directory)) yield return $"{path}:Directory is missing: a recording needs one.";
        if (string.IsNullOrEmpty(Key)) yield return $"{path}:Key is missing: a recording is encrypted; `openssl rand -base64 32` prints "
            + $"one.";
    }
}
