using System.Diagnostics;

namespace GrpcShm.EventBus.Client;

/// <summary>The handling of one event, for traces and metrics.</summary>
internal readonly record struct HandlingScope(Activity? Activity, long Started);
