namespace Shadowing.Experiments;

/// <summary>Does something with an experiment whose types are not known where it is found.</summary>
internal interface IExperimentVisitor<TStore>
{
    /// <summary>Visits it with its types.</summary>
    Task VisitAsync<TRequest, TResult>(Experiment<TStore, TRequest, TResult> experiment);
}
