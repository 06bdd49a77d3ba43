namespace Samples.XStateNetAdapter.Bus;

/// <summary>A copy of XStateNet's own class.</summary>
internal sealed class MachineEvent
{
    public string SourceMachineId { get; set; } = "";

    public string TargetMachineId { get; set; } = "";

    public string EventName { get; set; } = "";

    public object? Payload { get; set; }

    public DateTime Timestamp { get; set; }
}
