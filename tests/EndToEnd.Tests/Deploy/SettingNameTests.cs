using System.Text.RegularExpressions;
using k8s.Models;

namespace EndToEnd.Tests.Deploy;

/// <summary>Every environment variable in a deployment file is a setting of the service, and every value can be read.</summary>
public sealed partial class SettingNameTests
{
    [Theory]
    [InlineData("Shadowing__SamplePercnt", "1", "SamplePercent")]
    [InlineData("Stopping__ServeFor", "10s", "is not a time")]
    [InlineData("Operators__Token__0__Name", "operator", "Tokens")]
    [InlineData("ConnectionStrings__Sandbocks", null, "no such connection string")]
    [InlineData("Shadowing__Operations__tickets_lists__Enabled", "true", "tickets.list")]
    [InlineData("OperatorsPort", "5081", "no such setting")]
    public void A_name_or_value_that_the_service_does_not_know_is_noticed(string name, string? value, string complaint) =>
        Assert.Contains(complaint, SettingNames.Complaint(name, value), StringComparison.Ordinal);

    [Fact]
    public void Those_of_kubernetes_are_known()
    {
        var variables = KubernetesFiles.Values<V1Deployment>().SelectMany(deployment => deployment.Spec.Template.Spec.Containers).SelectMany(one => one.Env).ToArray();
        Assert.True(variables.Length > 20);
        Assert.All(variables, variable => Assert.Null(SettingNames.Complaint(variable.Name, variable.Value)));
    }

    [Fact]
    public async Task Those_of_compose_and_of_what_it_draws_are_known()
    {
        Assert.All(ComposeFile.Shipped.Replicas.SelectMany(replica => replica.Environment), one => Assert.Null(SettingNames.Complaint(one.Key, one.Value)));
        using var prepared = await Prepared.DrawAsync();
        Assert.All(prepared.Environment, one => Assert.Null(SettingNames.Complaint(one.Key, one.Value)));
    }

    [Fact]
    public void Those_of_the_image_are_known()
    {
        var file = File.ReadAllText(Repository.Path("deploy", "container", "Containerfile"));
        var variables = Variable().Matches(Environment().Match(file).Value).ToArray();
        Assert.Equal(4, variables.Length);
        Assert.All(variables, one => Assert.Null(SettingNames.Complaint(one.Groups[1].Value, one.Groups[2].Value)));
    }

    /// <summary>Scripts and pages write them in text: whatever looks like one.</summary>
    [Fact]
    public void Those_of_scripts_and_pages_are_known()
    {
        string[] files =
        [
            .. Directory.GetFiles(Repository.Path("deploy"), "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".sql", StringComparison.Ordinal)),
            .. Directory.GetFiles(Repository.Path("dashboards", "runbooks")), Repository.Path("README.md"), Repository.Path("dashboards", "README.md"),
        ];
        var named = files.SelectMany(file => Written().Matches(File.ReadAllText(file)).Select(match => (File: file, Name: match.Value)))
            .Where(one => !one.Name.StartsWith("GF_", StringComparison.Ordinal)).ToArray();
        Assert.True(named.Length > 30);
        Assert.All(named, one => Assert.True(SettingNames.Complaint(one.Name, null) is null, $"{one.File}: {SettingNames.Complaint(one.Name, null)}"));
    }

    [GeneratedRegex(@"^ENV (?:.*\\\n)*.*$", RegexOptions.Multiline)]
    private static partial Regex Environment();

    [GeneratedRegex(@"(\w+)=(\S+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\b[A-Z][A-Za-z]+(?:__\w+)+")]
    private static partial Regex Written();
}
