using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Outcomes of which one is enough.</summary>
internal static class Outcomes
{
    /// <summary>All went well, and there is no more to say.</summary>
    public static Task<Outcome?> Succeeded { get; } = Task.FromResult<Outcome?>(null);
}
