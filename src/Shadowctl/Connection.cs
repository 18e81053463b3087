using System.CommandLine;

namespace Shadowctl;

/// <summary>The service's address and token. The token is never on the command line, which all users of the machine can read.</summary>
internal sealed class Connection
{
    public const string UrlVariable = "SHADOWCTL_URL";
    public const string TokenVariable = "SHADOWCTL_TOKEN";
    private const string DefaultUrl = "http://127.0.0.1:5080";

    public Option<string> Url { get; } = new("--url")
    {
        Description = $"The service's address; ${UrlVariable}, else {DefaultUrl}.",
        HelpName = "URL",
        Recursive = true,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(UrlVariable) ?? DefaultUrl,
    };

    public Option<FileInfo?> TokenFile { get; } = new("--token-file")
    {
        Description = $"A file with the operator's or viewer's token; ${TokenVariable} holds the token itself.",
        HelpName = "FILE",
        Recursive = true,
    };

    /// <exception cref="RefusedException">Address or token are missing or wrong.</exception>
    public ShadowClient Open(ParseResult parsed)
    {
        var url = parsed.GetValue(Url);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new RefusedException(ExitCodes.Usage, $"--url {url}: it must be an http or https address.");
        return new(address, Token(parsed.GetValue(TokenFile)));
    }

    private static string Token(FileInfo? file)
    {
        try
        {
            var token = file is null ? Environment.GetEnvironmentVariable(TokenVariable) : File.ReadAllText(file.FullName);
            return string.IsNullOrWhiteSpace(token)
                ? throw new RefusedException(ExitCodes.Denied, $"There is no token: name a file with --token-file, or set {TokenVariable}.")
                : token.Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(ExitCodes.Denied, $"--token-file {file}: {unreadable.Message}");
        }
    }
}
