using Microsoft.IdentityModel.Tokens;

namespace Ticketing.Api.Tests.Http;

public sealed class AuthenticationTests(BothSides sides) : IClassFixture<BothSides>
{
    private int User => sides.People.Owner;

    [Fact]
    public async Task A_request_without_a_bearer_token_is_refused()
    {
        await AssertRefusedAsync("token_missing", token: null);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/tickets");
        request.Headers.Authorization = new("Basic", "dXNlcjpwYXNz");
        using var response = await sides.Control.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(("Bearer", 401), (response.Headers.WwwAuthenticate.ToString(), (int)response.StatusCode));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("a.b.c")]
    [InlineData("eyJhbGciOiJIUzI1NiJ9.e30.")]
    public Task A_malformed_token_is_refused(string token) => AssertRefusedAsync("token_invalid", token);

    [Theory]
    [InlineData("refresh")]
    [InlineData("Access")]
    [InlineData("")]
    public Task A_token_of_another_type_is_refused(string type) =>
        AssertRefusedAsync("token_invalid", AccessTokens.Of(new(AccessTokens.Claims(User)) { ["type"] = type }));

    [Theory]
    [InlineData("type")]
    [InlineData("userId")]
    public Task A_token_without_a_claim_that_counts_is_refused(string claim)
    {
        var claims = AccessTokens.Claims(User);
        claims.Remove(claim);
        return AssertRefusedAsync("token_invalid", AccessTokens.Of(claims));
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("01")]
    [InlineData("1.5")]
    [InlineData("99999999999")]
    [InlineData("1 or 1=1")]
    public Task A_user_id_that_is_no_id_is_refused(string userId) => AssertRefusedAsync("token_invalid", AccessTokens.Of(AccessTokens.Claims(userId)));

    [Fact]
    public async Task Only_HS256_with_our_key_is_trusted()
    {
        var claims = AccessTokens.Claims(User);
        await AssertRefusedAsync("token_invalid", AccessTokens.Unsigned(claims));
        await AssertRefusedAsync("token_invalid", AccessTokens.SignedByRsa(claims));
        await AssertRefusedAsync("token_invalid", AccessTokens.Of(claims, algorithm: SecurityAlgorithms.HmacSha512));
        await AssertRefusedAsync("token_invalid", AccessTokens.Of(claims, algorithm: SecurityAlgorithms.HmacSha384));
        await AssertRefusedAsync("token_invalid", AccessTokens.Of(claims, key: new string('k', 64)));
    }

    [Fact]
    public async Task A_token_must_expire_and_must_not_have()
    {
        await AssertRefusedAsync("token_expired", AccessTokens.Of(AccessTokens.Claims(User), expiresIn: TimeSpan.FromSeconds(-2)));
        await AssertRefusedAsync("token_invalid", AccessTokens.WithoutExpiry(AccessTokens.Claims(User)));
        await AssertRefusedAsync("token_invalid", AccessTokens.Of(new(AccessTokens.Claims(User)) { ["nbf"] = 4102444800L }));
    }

    [Fact]
    public async Task An_account_that_is_missing_or_not_active_is_refused()
    {
        await AssertRefusedAsync("account_inactive", AccessTokens.For(int.MaxValue, "superadmin"));
        await AssertRefusedAsync("account_inactive", AccessTokens.For(sides.People.Inactive, "superadmin"));
        await AssertRefusedAsync("account_inactive", AccessTokens.For(sides.People.Undecided, "superadmin"));
    }

    [Fact]
    public async Task An_account_counts_from_the_next_request_on_as_its_row_says()
    {
        await sides.ExecuteAsync($"update users set is_active = false where id = {sides.People.Stranger}");
        await AssertRefusedAsync("account_inactive", AccessTokens.For(sides.People.Stranger));
        await sides.ExecuteAsync($"update users set is_active = true where id = {sides.People.Stranger}");
        Assert.Equal(200, (await sides.SendAsync("GET", "/api/tickets", null, sides.People.Stranger)).Status);
    }

    [Fact]
    public async Task The_role_is_the_rows_and_not_the_tokens()
    {
        Assert.Equal(403, await StaffListAsync(sides.People.Owner, "superadmin"));
        Assert.Equal(403, await StaffListAsync(sides.People.Roleless, "admin"));
        Assert.Equal(403, await StaffListAsync(sides.People.OddRole, "admin"));
        Assert.Equal(200, await StaffListAsync(sides.People.Admin, "user"));
        Assert.Equal(200, await StaffListAsync(sides.People.Superadmin, "nonsense"));
    }

    private async Task<int> StaffListAsync(int user, string role) =>
        (await sides.Control.SendAsync("GET", "/api/tickets?scope=all", null, null, AccessTokens.For(user, role))).Status;

    private async Task AssertRefusedAsync(string code, string? token)
    {
        foreach (var (method, path) in (List<(string, string)>)[("GET", "/api/tickets"), ("GET", "/api/tickets/1"), ("DELETE", "/api/tickets/1"), ("GET", "/api/tickets/stats")])
        {
            var answer = await sides.Control.SendAsync(method, path, null, null, token);

            Assert.Equal((401, code), (answer.Status, answer.Code));
            Assert.Equal(token is null ? "Bearer" : "Bearer error=\"invalid_token\"", answer.Challenge);
            BothSides.AssertProblem(answer);
        }
    }
}
