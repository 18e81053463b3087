using System.Net;
using System.Net.Sockets;

namespace Shadowing.AspNetCore.Operators;

/// <summary>
/// Limits how many unknown tokens one address, and one network, may send to the routes that are otherwise not limited: rollbacks and
/// alerts. A known token is never refused. Logged once for each period.
/// </summary>
internal sealed partial class JunkTokens(TimeProvider clock, ILogger<JunkTokens> logger)
{
    public const int MostOfAddress = 20;
    public const int MostOfNetwork = 60;

    public static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private const int MostKept = 10_000;

    private readonly Lock _change = new();
    private readonly Dictionary<string, int> _counts = [];
    private DateTimeOffset _since;
    private bool _isLogged;

    /// <summary>Counts an unknown token.</summary>
    /// <returns>Whether its sender has sent too many.</returns>
    public bool IsTooMany(IPAddress? address)
    {
        var network = NetworkOf(address);
        var isFirst = false;
        lock (_change)
        {
            var now = clock.GetUtcNow();
            if (now - _since >= Period)
            {
                _counts.Clear();
                (_since, _isLogged) = (now, false);
            }

            var isKnown = _counts.ContainsKey(network);
            if (_counts.Count >= MostKept && !isKnown) return true;
            var ofNetwork = _counts[network] = _counts.GetValueOrDefault(network) + 1;
            var own = $"{address}";
            var ofAddress = _counts[own] = _counts.GetValueOrDefault(own) + 1;
            if (ofAddress <= MostOfAddress && ofNetwork <= MostOfNetwork) return false;
            if (!_isLogged) (_isLogged, isFirst) = (true, true);
        }

        if (isFirst) LogJunk(network);
        return true;
    }

    /// <summary>The first three bytes of an IPv4 address, the first eight of an IPv6 one.</summary>
    internal static string NetworkOf(IPAddress? address)
    {
        if (address is null) return "unknown network";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        var (kept, bits) = address.AddressFamily is AddressFamily.InterNetwork ? (3, 24) : (8, 64);
        Array.Clear(bytes, kept, bytes.Length - kept);
        return $"{new IPAddress(bytes)}/{bits}";
    }

    [LoggerMessage(
        46, LogLevel.Warning,
        "{Network} sends unknown tokens to the routes of rollbacks and alerts; it is answered 429. Logged once a minute.")]
    private partial void LogJunk(string network);
}
