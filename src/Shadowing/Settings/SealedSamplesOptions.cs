using System.Globalization;
using System.Security.Cryptography;

namespace Shadowing.Settings;

/// <summary>
/// Sealed samples: the values of a few mismatches, encrypted to a public key and stored. Only the owner of the private key reads them; the
/// service does not have it. Off by default; that they are kept is audited, and so is each time that they are fetched.
/// </summary>
public sealed class SealedSamplesOptions
{
    private const int Least = 2048;
    private const int Longest = 8192;

    /// <summary>The RSA public key, in PEM.</summary>
    /// <value>2,048 to 8,192 bits. The default is none: then no values are kept.</value>
    public string? PublicKey { get; set; }

    /// <summary>Who has the private key; required with <see cref="PublicKey"/>.</summary>
    public string? Owner { get; set; }

    /// <summary>Why the values are needed; required with <see cref="PublicKey"/>.</summary>
    public string? Reason { get; set; }

    /// <summary>How many samples of one run keep their values: two of each signature, until there are so many.</summary>
    /// <value>1 to 1,000. The default is 100.</value>
    public int Most { get; set; } = 100;

    internal bool IsOn => !string.IsNullOrWhiteSpace(PublicKey);

    /// <summary>The key; to be disposed of.</summary>
    /// <exception cref="CryptographicException">It is no key of this kind; settings in force always have one.</exception>
    internal RSA OpenKey()
    {
        var key = RSA.Create();
        try
        {
            key.ImportFromPem(PublicKey);
            return key;
        }
        catch (Exception unreadable) when (unreadable is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new CryptographicException("It is no RSA public key in PEM.", unreadable);
        }
    }

    // The value is never quoted: it may be the private key.
    internal IEnumerable<string> Failures(string path)
    {
        if (Most is < 1 or > 1000)
            yield return string.Create(CultureInfo.InvariantCulture, $"{path}:Most = '{Most}': it is between 1 and 1000.");
        if (!IsOn) yield break;
        if (WhyNot() is { } why) yield return $"{path}:PublicKey: {why}";
        if (string.IsNullOrWhiteSpace(Owner)) yield return $"{path}:Owner is missing: sealed samples need the name of who has the key.";
        if (string.IsNullOrWhiteSpace(Reason)) yield return $"{path}:Reason is missing: sealed samples need one.";
    }

    private string? WhyNot()
    {
        if (PublicKey!.Contains("PRIVATE KEY", StringComparison.Ordinal))
            return "it is a private key, which must never be here. Replace it, and give the service the public one of a new pair.";
        try
        {
            using var key = OpenKey();
            return key.KeySize is >= Least and <= Longest ? null
                : $"it has {key.KeySize} bits; it must have {Least} to {Longest}.";
        }
        catch (CryptographicException unreadable)
        {
            return unreadable.Message;
        }
    }
}
