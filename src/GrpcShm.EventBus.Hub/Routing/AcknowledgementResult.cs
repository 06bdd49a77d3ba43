using GrpcShm.EventBus.Forwarding;

namespace GrpcShm.EventBus.Routing;

/// <summary>The answer of a target, or the reason why there is none.</summary>
internal readonly record struct AcknowledgementResult(Verdict Verdict, string NewState, RoutedEvent? Reply);
