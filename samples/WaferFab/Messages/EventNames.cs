namespace Samples.WaferFab.Messages;

/// <summary>The events of the fab.</summary>
internal static class EventNames
{
    /// <summary>The scheduler tells a tool to do a step: <see cref="StepCommand"/>.</summary>
    public const string RunStep = "RUN_STEP";

    /// <summary>A tool has started, or started again: <see cref="ToolReady"/>.</summary>
    public const string ToolReady = "TOOL_READY";

    /// <summary>A tool reports a measurement during its step: <see cref="Messages.Reading"/>.</summary>
    public const string Reading = "READING";

    /// <summary>A tool has finished its step: <see cref="Messages.StepDone"/>.</summary>
    public const string StepDone = "STEP_DONE";
}
