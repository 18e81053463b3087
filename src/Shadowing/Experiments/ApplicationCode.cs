namespace Shadowing.Experiments;

/// <summary>Runs what an experiment says of its requests: the application's own code.</summary>
internal static class ApplicationCode
{
    /// <summary>Asks about a request, on the caller's own flow: whatever is thrown must not fail the request.</summary>
    /// <param name="otherwise">What stands for an answer where it throws.</param>
    public static T Ask<TRequest, T>(Func<TRequest, T> what, TRequest request, T otherwise)
    {
        try
        {
            return what(request);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception)
        {
            return otherwise;
        }
#pragma warning restore CA1031
    }
}
