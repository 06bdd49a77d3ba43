using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.TestHost.Faults;

/// <summary>The step that fails at present, and its error.</summary>
internal sealed class FaultSwitch
{
    public const string Accept = "accept";
    public const string Connect = "connect";
    public const string Allocate = "allocate";
    public const string Map = "map";
    public const string Doorbell = "doorbell";
    public const string Watch = "watch";
    public const string Receive = "receive";
    public const string Wait = "wait";

    private volatile Fault? _fault;

    public static IReadOnlyList<string> Steps { get; } =
        [Accept, Connect, Allocate, Map, Doorbell, Watch, Receive, Wait];

    public void Set(string? step, int error)
    {
        if (step is not null && !Steps.Contains(step))
        {
            throw new ArgumentException($"There is no step '{step}'.", nameof(step));
        }

        _fault = step is null ? null : new Fault(step, error);
    }

    /// <summary>Throws the exception that the system's own make throws for this error.</summary>
    public void ThrowIf(string step)
    {
        if (_fault is { } fault && fault.Step == step)
        {
            throw LinuxError.Create($"The step '{step}' was made to fail", step, fault.Error);
        }
    }

    private sealed record Fault(string Step, int Error);
}
