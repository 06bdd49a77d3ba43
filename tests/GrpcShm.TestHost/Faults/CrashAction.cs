namespace GrpcShm.TestHost.Faults;

/// <summary>What a process does to itself.</summary>
public enum CrashAction
{
    /// <summary>SIGKILL: it has no chance to say or to finish anything.</summary>
    Kill,

    /// <summary>SIGSTOP: it stands still with all that it holds until somebody lets it go on or kills it.</summary>
    Freeze,
}
