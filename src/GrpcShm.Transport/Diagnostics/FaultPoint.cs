using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// Lets tests stop, kill or freeze a process at an exact step of a connection's life. A signal from outside would not
/// hit that step.
/// </summary>
/// <remarks>
/// Off unless the program's own run-time configuration has the switch <see cref="Switch"/>, which no environment
/// variable can set. Even then nothing happens unless code of this process that may see internals has named an action.
/// When it is off, it costs nothing: the property is a constant to the JIT compiler once the class has been
/// initialized, and a constant replaces it in a trimmed or ahead-of-time compiled program
/// (<c>ILLink.Substitutions.xml</c>).
/// </remarks>
internal static class FaultPoint
{
    public const string Switch = "GrpcShm.FaultPoints";

    /// <summary>Whether steps are reported at all.</summary>
    [FeatureSwitchDefinition(Switch)]
    public static bool IsEnabled { get; } = AppContext.TryGetSwitch(Switch, out var isOn) && isOn;

    /// <summary>The action at each step. It runs on the thread that is at the step, under all locks of that
    /// thread.</summary>
    public static Action<FaultStep>? Reached { get; set; }

    /// <summary>Reports that the calling thread is at a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Reach(FaultStep step)
    {
        if (IsEnabled)
        {
            Report(step);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Report(FaultStep step) => Reached?.Invoke(step);
}
