using Shadowing.AspNetCore.Console.Markup;
using Shadowing.AspNetCore.Endpoints;
using Shadowing.Journal;

namespace Shadowing.AspNetCore.Console.Pages;

/// <summary>Values that are encrypted to a public key. The page's script decrypts them; the service cannot.</summary>
internal static class HeldValues
{
    public static Html Draw(Visit visit, MismatchGroup group, IReadOnlyList<HeldSample> held, bool shows) =>
        held.Count == 0 || !visit.MayOperate ? Html.Empty : shows ? Shown(group, held) : Html.From(
            $"""
            <form method="post" action="{visit.Mismatch(group.Signature)}/sealed">{Parts.Mark(visit)}
            <button class="quiet">Fetch the encrypted values</button>
            <span class="sub">the audit notes it; a key file opens them here</span></form>
            """);

    private static Html Shown(MismatchGroup group, IReadOnlyList<HeldSample> held) => Html.From(
        $"""
        <section class="sealed" data-operation="{group.Operation}" aria-labelledby="sealed"><h2 id="sealed">Encrypted values</h2>
        <p class="legend">Only the owner of the private key reads them; the audit has noted that you fetched them. The key file is read in
        this browser and is sent nowhere.</p>
        <label>Private key file <input type="file" accept=".pem,.key"></label><p role="status"></p>
        <ul>{Html.Join(held.Select((sample, index) => Html.From(
            $"""
            <li><span data-key="{sample.Sealed.Key}" data-nonce="{sample.Sealed.Nonce}" data-text="{sample.Sealed.Text}">Sample {index + 1}
            </span>, {Show.Time(sample.At)}, {sample.Replica}, for the key <code>{sample.Sealed.KeyId}</code></li>
            """)))}</ul><div data-opened></div></section>
        """);
}
