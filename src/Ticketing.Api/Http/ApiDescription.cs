using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Ticketing.Api.Accounts;
using Ticketing.Api.Problems;

namespace Ticketing.Api.Http;

/// <summary>What the OpenAPI document says beyond what the endpoints' types do: the bearer scheme and the members of a problem.</summary>
internal static class ApiDescription
{
    private const string Scheme = "bearer";

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new() { Title = "Ticketing", Version = "v1" };
            document.Components ??= new();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[Scheme] =
                new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", BearerFormat = "JWT" };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<AccountRequired>().Any())
                operation.Security = [new() { [new(Scheme, context.Document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            if (context.JsonTypeInfo.Type != typeof(ProblemDetails)) return Task.CompletedTask;
            schema.Properties ??= new Dictionary<string, IOpenApiSchema>();
            schema.Properties["code"] = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Enum = [.. TicketProblemCodes.All.Select(code => (JsonNode)JsonValue.Create(code))],
            };
            schema.Properties["traceId"] = new OpenApiSchema { Type = JsonSchemaType.String };
            return Task.CompletedTask;
        });
    });
}
