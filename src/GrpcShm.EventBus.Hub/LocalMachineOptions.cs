namespace GrpcShm.EventBus;

/// <summary>
/// How the machines of the hub's own process encode and decode payloads. Set it by
/// <c>services.Configure&lt;LocalMachineOptions&gt;(…)</c>, beside <c>services.AddEventBus()</c>.
/// </summary>
public sealed class LocalMachineOptions : PayloadOptions
{
}
