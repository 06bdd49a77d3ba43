namespace Samples.WaferFab.Messages;

/// <summary>The scheduler's id as a machine.</summary>
internal static class SchedulerId
{
    public const string Value = "scheduler";
}
