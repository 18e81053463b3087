using System.Globalization;
using Bogus;

namespace Ticketing.Demo.Database;

/// <summary>The rows of <c>users</c>: staff first, then accounts with something wrong, then ordinary users.</summary>
internal sealed class SeededPeople(int count, DateTime now)
{
    public const string Columns =
        "id, email, password_hash, first_name, last_name, role, department, job_title, is_active, is_verified, verification_token, " +
        "verification_token_expires, reset_token, reset_token_expires, oauth_provider, oauth_id, oauth_access_token, " +
        "oauth_refresh_token, two_factor_secret, last_login, created_at, updated_at";

    private const ulong Key = 11;

    private static readonly string[] Departments = ["Sales", "Research & Development", "IT", "Finance", "", "Küche", "营销"];
    private static readonly string[] Names = Pool(people => people.Name.FirstName());
    private static readonly string[] Surnames =
        [.. Pool(people => people.Name.LastName()), "O'Brien", "van der Berg", "Müller-Lüdenscheidt", "Ñúñez", "李", "İnönü", "  Spaces "];

    // Active and role of the accounts from Seeder.FirstOddUser on.
    private static readonly (string? Role, bool? IsActive)[] Odd =
    [
        ("admin", false), ("admin", null), ("superadmin", false), ("user", false), ("user", null), (null, true), (null, null),
        ("moderator", true), ("ADMIN", true), ("", true), (" admin", true), ("user", false),
    ];

    public int Count => count;

    /// <summary>A person's own row, in the order of <see cref="Columns"/>.</summary>
    public object?[] Row(int id)
    {
        var draw = new Draw(Key, (ulong)id);
        var (role, isActive) = Standing(id, ref draw);
        var (first, last) = (draw.Pick(Names), draw.Pick(Surnames));
        if (draw.Chance(0.03)) first = draw.Pick(["", " Anne", "Jean\tLuc", "👩‍💻", "محمد", "אבי", "a_b%c\\"]);
        var created = Moment(ref draw, 900);
        return
        [
            id,
            Email(id, role, ref draw),
            "$2b$10$" + Secret(ref draw, 53),
            first,
            last,
            role,
            draw.Chance(0.2) ? null : draw.Pick(Departments),
            draw.Chance(0.3) ? null : $"Grade {draw.Below(9)}",
            isActive,
            draw.Chance(0.05) ? null : draw.Chance(0.8),
            draw.Chance(0.7) ? null : Secret(ref draw, 40),
            draw.Chance(0.7) ? null : created.AddDays(1),
            draw.Chance(0.8) ? null : Secret(ref draw, 40),
            draw.Chance(0.8) ? null : created.AddHours(1),
            draw.Chance(0.7) ? null : draw.Pick(["google", "github"]),
            draw.Chance(0.7) ? null : Secret(ref draw, 21),
            draw.Chance(0.7) ? null : Secret(ref draw, 80),
            draw.Chance(0.7) ? null : Secret(ref draw, 80),
            draw.Chance(0.8) ? null : Secret(ref draw, 32),
            draw.Chance(0.2) ? null : Moment(ref draw, 60),
            draw.Chance(0.02) ? null : created,
            draw.Chance(0.02) ? null : created.AddSeconds(draw.Below(1_000_000)),
        ];
    }

    /// <summary>The id of a user who has opened a ticket. A few users open many; every twentieth opens none.</summary>
    public int Owner(ref Draw draw)
    {
        var place = draw.Unit();
        var id = 1 + (int)(count * (draw.Chance(0.5) ? place : Math.Pow(place, 1.5)));
        return id % 20 == 0 ? id - 1 : id;
    }

    /// <summary>Mostly an active admin; sometimes an inactive one, or any user.</summary>
    public int Assignee(ref Draw draw) =>
        draw.Unit() switch
        {
            < 0.9 => Seeder.FirstAdmin + draw.Below(Seeder.FirstOddUser - Seeder.FirstAdmin),
            < 0.96 => Seeder.FirstOddUser + draw.Below(2),
            _ => 1 + draw.Below(count),
        };

    private static (string? Role, bool? IsActive) Standing(int id, ref Draw draw) =>
        id switch
        {
            < Seeder.FirstAdmin => ("superadmin", true),
            < Seeder.FirstOddUser => ("admin", true),
            < Seeder.FirstUser => Odd[id - Seeder.FirstOddUser],
            _ => ("user", draw.Unit() switch { < 0.94 => true, < 0.98 => false, _ => null }),
        };

    private static string Email(int id, string? role, ref Draw draw)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{(role is "admin" or "superadmin" ? role : "user")}{id}");
        return draw.Chance(0.05) ? $"{name.ToUpperInvariant()}+Ticket@Example.COM" : $"{name}@example.com";
    }

    private static string Secret(ref Draw draw, int length)
    {
        const string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";
        var secret = new char[length];
        foreach (ref var letter in secret.AsSpan()) letter = letters[draw.Below(letters.Length)];
        return new(secret);
    }

    private DateTime Moment(ref Draw draw, int days) =>
        now.AddSeconds(-draw.Below(days * 86_400)).AddTicks(-draw.Below(1_000_000) * TimeSpan.TicksPerMicrosecond);

    private static string[] Pool(Func<Faker, string> make)
    {
        var faker = new Faker("en") { Random = new Randomizer(Seeder.Seed) };
        return [.. Enumerable.Range(0, 400).Select(_ => make(faker))];
    }
}
