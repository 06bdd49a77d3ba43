namespace GrpcShm.TestHost.Faults;

/// <summary>The way in which a process ends or stops itself.</summary>
public enum CrashAction
{
    /// <summary>SIGKILL: the process cannot write or finish anything.</summary>
    Kill,

    /// <summary>
    /// SIGSTOP: the process stands still, and keeps all its resources, until another process continues it or kills it.
    /// </summary>
    Freeze,
}
