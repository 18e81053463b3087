using System.Security.Cryptography;

namespace Shadowing.AspNetCore.Console.Markup;

/// <summary>The style, the script and the icon: files in the assembly, under names that change with what is in them.</summary>
internal static class ConsoleAssets
{
    private static readonly Dictionary<string, (byte[] Content, string Type)> Files = [];

    public static string Style { get; } = Load("console.css", "text/css; charset=utf-8");

    public static string Script { get; } = Load("console.js", "text/javascript; charset=utf-8");

    public static string Icon { get; } = Load("icon.svg", "image/svg+xml");

    public static IResult Send(string name, HttpContext context)
    {
        if (!Files.TryGetValue(name, out var file)) return TypedResults.NotFound();
        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return TypedResults.Bytes(file.Content, file.Type);
    }

    private static string Load(string file, string type)
    {
        var assembly = typeof(ConsoleAssets).Assembly;
        using var stream = assembly.GetManifestResourceStream($"Shadowing.AspNetCore.Console.Assets.{file}")!;
        using var content = new MemoryStream();
        stream.CopyTo(content);
        var name = $"{Convert.ToHexStringLower(SHA256.HashData(content.ToArray()))[..12]}-{file}";
        Files[name] = (content.ToArray(), type);
        return name;
    }
}
