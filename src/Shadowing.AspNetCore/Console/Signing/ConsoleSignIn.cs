using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Shadowing.AspNetCore.Operators;
using Shadowing.Supervision;

namespace Shadowing.AspNetCore.Console.Signing;

/// <summary>
/// Links that sign their owner in without a token being typed, each once and only on this replica: for a program that starts the service
/// and hands its address to a person, as a demonstration does.
/// </summary>
public sealed class ConsoleSignIn
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);
    private readonly ConcurrentDictionary<string, (string Name, DateTimeOffset Until)> _links = [];
    private readonly LastValid<OperatorsOptions> _operators;
    private readonly TimeProvider _clock;

    internal ConsoleSignIn(LastValid<OperatorsOptions> operators, TimeProvider clock) => (_operators, _clock) = (operators, clock);

    /// <summary>Makes a link.</summary>
    /// <param name="tokenName">The name of a configured token: the session is that token's, and ends with it.</param>
    /// <returns>The path and query below the prefix that the endpoints are mapped to: <c>/sign-in?once=…</c>.</returns>
    public string CreateLink(string tokenName)
    {
        var code = RandomNumberGenerator.GetHexString(32, lowercase: true);
        _links[Hash(code)] = (tokenName, _clock.GetUtcNow() + Lifetime);
        return $"/sign-in?once={code}";
    }

    /// <summary>Takes a link's code: it works once.</summary>
    internal OperatorToken? Take(string code) => _links.TryRemove(Hash(code), out var link) && _clock.GetUtcNow() < link.Until
        ? _operators.Current.Tokens.Find(token => token.Name == link.Name && token.Role != OperatorRoles.Webhook) : null;

    private static string Hash(string code) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(code)));
}
