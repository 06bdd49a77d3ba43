using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Outcomes that all sends share.</summary>
internal static class Outcomes
{
    /// <summary>The outcome of a send that succeeded and has no result.</summary>
    public static Task<Outcome?> Succeeded { get; } = Task.FromResult<Outcome?>(null);
}
