namespace GrpcShm.TestHost.Serving;

/// <summary>How the calls of direct mode come to the services.</summary>
internal enum DispatchChoice
{
    /// <summary>Through the full pipeline.</summary>
    Off,

    /// <summary>As the server decides by itself.</summary>
    ByItself,

    /// <summary>Natively, since the services ask for it.</summary>
    Asked,
}
