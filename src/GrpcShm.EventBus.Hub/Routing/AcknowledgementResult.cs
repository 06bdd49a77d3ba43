using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>The answer of a target, or the reason why there is none.</summary>
internal readonly record struct AcknowledgementResult(Verdict Verdict, string NewState, Event? Reply);
