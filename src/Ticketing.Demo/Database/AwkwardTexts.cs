using System.Text;

namespace Ticketing.Demo.Database;

/// <summary>Texts that have broken a rewrite before: each is legal in the tables, none is polite.</summary>
internal static class AwkwardTexts
{
    /// <summary>At most 255 characters each, so that every text column takes them.</summary>
    public static readonly string[] Short =
    [
        "",
        " ",
        "   \t  ",
        "\tTab before and after\t",
        "\nNewline before and after\r\n",
        "  spaces before and after  ",
        "\u00a0no-break space before and after\u00a0",
        "one\r\ntwo\n\nthree\rfour",
        "100% of _all_ users",
        "C:\\temp\\new_%41\\",
        "%",
        "_",
        "\\",
        "it's \"quoted\" `thrice` “and” «more»",
        "Robert'); DROP TABLE support_tickets;--",
        "' OR '1'='1",
        "<script>alert(\"ticket\")</script> & <b>bold</b>",
        "{{7*7}} ${jndi:ldap} #{x} %s %n {0}",
        "{\"json\": [1, null, \"text\"]}",
        "null",
        "NULL",
        "0",
        "-1e308",
        "true",
        "Ünïcödé with diacritics",
        "caf\u00e9 composed",
        "cafe\u0301 decomposed",
        "İSTANBUL ıssız IRMAK",
        "Straße GROẞ STRASSE",
        "Ελληνικά: όσος ΟΔΟΣ",
        "Не работает принтер",
        "无法登录我的账户",
        "パスワードを忘れました ガギグ",
        "로그인할 수 없습니다",
        "लॉग इन नहीं हो रहा है",
        "เข้าสู่ระบบไม่ได้",
        "لا يمكنني تسجيل الدخول 123",
        "לא מצליח להתחבר (abc) 456",
        "mixed \u202eright-to-left override\u202c text",
        "zero\u200bwidth\u200djoiner\ufeffand\u2060more",
        "👩‍👩‍👧‍👦 family 👍🏽 tone 🇩🇪 flag",
        "🔥🔥🔥",
        "𝒜𝓈𝓉𝓇𝒶𝓁 plane 𠜎𠜱",
        "Z̸̢͓͙͝a̶̛̤͎l̷̻̈́g̵̱̐o̴̙̾",
        "\u0001control\u001f\u007f\u0085characters",
        "line\u2028separator\u2029paragraph",
        new string('x', 255),
        string.Concat(Enumerable.Repeat("é", 255)),
    ];

    /// <summary>For columns without a bound: beyond what the service itself would take.</summary>
    public static readonly string[] Long =
    [
        .. Short,
        string.Concat(Enumerable.Repeat("🙂", 2000)),
        new StringBuilder().Insert(0, "A very long description, pasted from a log file.\n", 220).ToString(),
    ];
}
