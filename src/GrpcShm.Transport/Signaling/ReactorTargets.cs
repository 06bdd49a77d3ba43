using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Signaling;

/// <summary>Calls the targets of a reactor so that the failure of one ends neither the thread nor the others.</summary>
internal static class ReactorTargets
{
    /// <summary>Does something for a target. If that fails, tells the target.</summary>
    public static void Try(IReactorTarget target, Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            Fault(target, exception);
        }
    }

    /// <summary>Tells a target that it has failed.</summary>
    public static void Fault(IReactorTarget target, Exception exception)
    {
        try
        {
            target.OnFault(exception);
        }
        catch (Exception)
        {
            // A target ends itself before it logs, so the logger has thrown. There is nobody left to tell, and on this
            // thread the exception would end the process, and with it the connections of all others.
        }
    }

    /// <summary>Logs something once with each logger of some targets.</summary>
    public static void Log(List<IReactorTarget> targets, Action<ILogger> log)
    {
        foreach (var logger in targets.Select(static t => t.Logger).OfType<ILogger>().ToHashSet())
        {
            try
            {
                log(logger);
            }
            catch (Exception)
            {
                // The logger has thrown. The connections end with the same reason that it should have logged.
            }
        }
    }
}
