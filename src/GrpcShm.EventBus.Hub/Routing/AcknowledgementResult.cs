using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>What a target answered, or why it did not.</summary>
internal readonly record struct AcknowledgementResult(Verdict Verdict, string NewState, Event? Reply);
