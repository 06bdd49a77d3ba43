using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace GrpcShm.EventBus.Lanes;

/// <summary>Lets tests stop or kill a process at an exact step of a lane's life.</summary>
/// <remarks>
/// Off unless the program's own run-time configuration has the switch, which no environment variable can set, and code
/// that may see internals has named an action. When it is off, the property is a constant to the JIT compiler, and in a
/// trimmed or ahead-of-time compiled program.
/// </remarks>
internal static class LaneFaultPoint
{
    /// <summary>The switch that the shared-memory transport has for its steps, too.</summary>
    public const string Switch = "GrpcShm.FaultPoints";

    [FeatureSwitchDefinition(Switch)]
    public static bool IsEnabled { get; } = AppContext.TryGetSwitch(Switch, out var isOn) && isOn;

    /// <summary>The action at each step. It runs on the thread that is at the step, under all locks of that
    /// thread.</summary>
    public static Action<LaneStep>? Reached { get; set; }

    /// <summary>Reports that the calling thread is at a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Reach(LaneStep step)
    {
        if (IsEnabled)
        {
            Report(step);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Report(LaneStep step) => Reached?.Invoke(step);
}
