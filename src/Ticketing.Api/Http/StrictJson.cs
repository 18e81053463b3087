namespace Ticketing.Api.Http;

internal static class StrictJson
{
    /// <summary>Names exactly as written here, shallow, and numbers as numbers except where a member says otherwise.</summary>
    public static IServiceCollection AddStrictJson(this IServiceCollection services) => services.ConfigureHttpJsonOptions(json =>
    {
        json.SerializerOptions.PropertyNameCaseInsensitive = false;
        json.SerializerOptions.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict;
        json.SerializerOptions.MaxDepth = 16;
    });
}
