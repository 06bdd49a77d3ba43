namespace GrpcShm.Differential.Requests;

/// <summary>How a request ends.</summary>
internal enum Ending
{
    /// <summary>With its last piece.</summary>
    WithLast,

    /// <summary>With an empty piece after the last one.</summary>
    Empty,

    /// <summary>By a reset, when the application has read all data before it.</summary>
    Reset,
}
