using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// Where the tests stop, kill or freeze a process at a step of a connection's life that no signal from outside would
/// hit.
/// </summary>
/// <remarks>
/// Off unless the program's own run-time configuration has the switch <see cref="Switch"/>, which no environment
/// variable can set; and even then nothing happens unless code of this process that may see internals has named an
/// action. Off, it costs nothing: the property is a constant to the JIT compiler once its class has been initialized,
/// and a trimmed or ahead-of-time compiled program has it substituted (<c>ILLink.Substitutions.xml</c>).
/// </remarks>
internal static class FaultPoint
{
    public const string Switch = "GrpcShm.FaultPoints";

    /// <summary>Whether steps are reported at all.</summary>
    [FeatureSwitchDefinition(Switch)]
    public static bool IsEnabled { get; } = AppContext.TryGetSwitch(Switch, out var isOn) && isOn;

    /// <summary>What to do at each step. On whatever thread comes to it, with whatever locks that holds.</summary>
    public static Action<FaultStep>? Reached { get; set; }

    /// <summary>This thread is at a step.</summary>
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
