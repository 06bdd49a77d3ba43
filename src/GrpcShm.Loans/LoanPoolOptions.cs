using System.Diagnostics;
using System.Reflection;

namespace GrpcShm.Loans;

/// <summary>The bounds of a <see cref="LoanPool"/>, and whether it looks for misuse.</summary>
public sealed class LoanPoolOptions
{
    /// <summary>The switch of <see cref="AppContext"/> for <see cref="FindMisuse"/>.</summary>
    internal const string CheckedSwitch = "GrpcShm.Loans.FindMisuse";

    /// <summary>
    /// The most bytes that the pool keeps for later loans. Memory beyond it is left to the garbage collector.
    /// </summary>
    /// <value>0 or more; 0 keeps nothing.</value>
    /// <remarks>Defaults to 64 MiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long MaxKeptBytes
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 64L * 1024 * 1024;

    /// <summary>
    /// The most bytes that may be on loan at once. A loan beyond it fails at once, with the status
    /// <c>ResourceExhausted</c>: nobody waits for memory.
    /// </summary>
    /// <value>1 or more.</value>
    /// <remarks>Defaults to 1 GiB.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public long MaxLoanedBytes
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 1024L * 1024 * 1024;

    /// <summary>
    /// Whether the pool looks for misuse of its loans. Memory that was given back is then filled with a pattern.
    /// Whoever reads it through a payload gets an <see cref="ObjectDisposedException"/>. Writes into it, loans that
    /// were forgotten and loans that were disposed of twice are told, with the place where the loan was made. It costs
    /// time.
    /// </summary>
    /// <value><see langword="true"/>, <see langword="false"/> or <see langword="null"/>.</value>
    /// <remarks>
    /// Defaults to <see langword="null"/>: in a program that was built for debugging, or as the switch
    /// <c>GrpcShm.Loans.FindMisuse</c> of <see cref="AppContext"/> says.
    /// </remarks>
    public bool? FindMisuse { get; set; }

    /// <summary>
    /// Is told of each misuse, if <see cref="FindMisuse"/> is true. On the thread that has found it, or on one of the
    /// thread pool.
    /// </summary>
    /// <remarks>
    /// Defaults to <see langword="null"/>: <see cref="Trace"/> is told, as a warning.
    /// </remarks>
    public Action<string>? OnMisuse { get; set; }

    /// <summary>Whether a pool finds misuse for which nothing else is said.</summary>
    internal static bool FindsMisuseByDefault() =>
        AppContext.TryGetSwitch(CheckedSwitch, out var isOn)
            ? isOn
            : Assembly.GetEntryAssembly()?.GetCustomAttribute<DebuggableAttribute>()?.IsJITOptimizerDisabled == true;
}
