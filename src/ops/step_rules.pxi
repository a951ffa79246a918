# Steps of the optimizers that a StepRule describes: what they read from a group, which state they have, what they tell their kernel.
#
# `rule_step` is the one loop over parameters; a rule is two small functions.  The kernels are in ../kernels/optimizer_rules.pxi.
cdef enum:
    MAX_NUMBERS = 2            # 0-d tensors of the state besides the step


cdef struct StepNumbers:
    double given[8]            # the group's hyperparameters, in the rule's order
    double state[MAX_NUMBERS]  # of the parameter: read before, written after `fill`
    bint single[MAX_NUMBERS]   # whether that number is float32
    bint single_default        # whether the default dtype is


# from a group: hyperparameters into `given`, the kernel into the launch; gives what decides which state there is
ctypedef int (*ReadGroup)(dict group, StepNumbers* n, Launch* l) except -1
# numbers of the launch, from attr[2] on, for a parameter's step number `step`
ctypedef void (*FillLaunch)(const StepNumbers* n, double step, Launch* l, double* state) noexcept


@cython.auto_pickle(False)
cdef class StepRule:
    """How one optimizer steps."""
    cdef readonly str name
    cdef ReadGroup read
    cdef FillLaunch fill


def step_rule(str name):
    """The StepRule of an optimizer's class."""
    return step_rules[name]


def rule_step(self, index, dict group):
    """One step over the parameters of a group by their gradients, as the rule in `self._rule` says; PerParameter._step_group.

    The lists of the plan are the steps, the state's numbers (`self.numbers`), then its tensors.

    Raises: as sgd_step.
    """
    cdef Launch l
    cdef StepNumbers n
    cdef StepRule rule = self._rule
    cdef PyObject* operand[5]
    cdef double step
    cdef Py_ssize_t i, k, numbers = len(self.numbers), tensors
    cdef object key = rule.read(group, &n, &l)
    cdef StepPlan plan = step_plan(self, index, group, key)
    tensors = len(plan.lists) - 1 - numbers
    if tensors < 0 or tensors > 3 or numbers > MAX_NUMBERS:
        raise ValueError(f"{rule.name}: expected at most 3 tensors and {MAX_NUMBERS} numbers of state, got {tensors} and {numbers}")
    for one in plan.lists:
        require_length(rule.name, plan.params, one)
    n.single_default = default_dtype() == FLOAT32
    l.attr[1].i = (MAXIMIZE if group["maximize"] else 0) | (DECOUPLED if group.get("decoupled_weight_decay", False) else 0)
    l.attr[0].f = group.get("weight_decay", 0)
    if l.attr[1].i & DECOUPLED:
        l.attr[0].f = 1 - <double>group["lr"] * l.attr[0].f
    for i in range(len(plan.params)):
        take_param(rule.name, plan.params, i, operand)
        for k in range(tensors):
            take_state(rule.name, <list>plan.lists[1 + numbers + k], i, "state tensors", operand, <int>(2 + k))
        for k in range(numbers):
            number = <Tensor?>(<list>plan.lists[1 + k])[i]
            n.state[k], n.single[k] = state_number(rule.name, number, "state numbers"), (<Tensor>number).a.dtype == FLOAT32
        step = step_count(rule.name, <Tensor?>(<list>plan.lists[0])[i])
        rule.fill(&n, step, &l, n.state)
        for k in range(numbers):
            set_state_number(<Tensor>(<list>plan.lists[1 + k])[i], n.state[k])
        launch_step(l.kernel, &l, operand, <int>(2 + tensors))
    if plan.version is None:
        self._settle(plan)


cdef int read_rmsprop(dict group, StepNumbers* n, Launch* l) except -1:
    cdef bint momentum = group["momentum"] > 0, centered = group["centered"]
    n.given[0], n.given[1], n.given[2], n.given[3] = group["lr"], group["alpha"], group["eps"], group["momentum"]
    l.kernel = ((K_RMSPROP_CENTERED_MOMENTUM_STEP if momentum else K_RMSPROP_CENTERED_STEP) if centered else
                K_RMSPROP_MOMENTUM_STEP if momentum else K_RMSPROP_STEP)
    return momentum + 2 * centered


cdef void fill_rmsprop(const StepNumbers* n, double step, Launch* l, double* state) noexcept:
    l.attr[2].f, l.attr[3].f, l.attr[4].f, l.attr[5].f = -n.given[0], n.given[1], n.given[2], n.given[3]


cdef int read_adagrad(dict group, StepNumbers* n, Launch* l) except -1:
    n.given[0], n.given[1], n.given[2] = group["lr"], group["lr_decay"], group["eps"]
    l.kernel = K_ADAGRAD_STEP
    return 0


cdef void fill_adagrad(const StepNumbers* n, double step, Launch* l, double* state) noexcept:
    l.attr[2].f, l.attr[3].f = -n.given[0] / (1 + (step - 1) * n.given[1]), n.given[2]


cdef int read_adadelta(dict group, StepNumbers* n, Launch* l) except -1:
    n.given[0], n.given[1], n.given[2] = group["lr"], group["rho"], group["eps"]
    l.kernel = K_ADADELTA_STEP
    return 0


cdef void fill_adadelta(const StepNumbers* n, double step, Launch* l, double* state) noexcept:
    l.attr[2].f, l.attr[3].f, l.attr[4].f = -n.given[0], n.given[1], n.given[2]


cdef int read_moments(dict group, StepNumbers* n) except -1:
    """given: rate, beta1, beta2, eps."""
    n.given[0], n.given[3] = group["lr"], group["eps"]
    n.given[1], n.given[2] = group["betas"]
    return 0


cdef int read_adamax(dict group, StepNumbers* n, Launch* l) except -1:
    l.kernel = K_ADAMAX_STEP
    return read_moments(group, n)


cdef void fill_adamax(const StepNumbers* n, double step, Launch* l, double* state) noexcept:
    l.attr[2].f = -n.given[0] / (1 - c_pow(n.given[1], step))
    l.attr[3].f, l.attr[4].f, l.attr[5].f = n.given[1], n.given[2], n.given[3]


cdef int read_radam(dict group, StepNumbers* n, Launch* l) except -1:
    l.kernel = K_RADAM_STEP
    return read_moments(group, n)


cdef void fill_radam(const StepNumbers* n, double step, Launch* l, double* state) noexcept:
    cdef double beta2 = n.given[2], correction = 1 - c_pow(beta2, step), longest = 2 / (1 - beta2) - 1
    cdef double length = longest - 2 * step * c_pow(beta2, step) / correction
    l.attr[2].f, l.attr[7].f = n.given[0], 0
    l.attr[3].f, l.attr[4].f, l.attr[5].f, l.attr[6].f = n.given[1], beta2, n.given[3], 1 - c_pow(n.given[1], step)
    if length > 5:
        l.attr[2].f *= c_sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        l.attr[7].f = c_sqrt(correction)


cdef int read_nadam(dict group, StepNumbers* n, Launch* l) except -1:
    l.kernel = K_NADAM_STEP
    n.given[4] = group["momentum_decay"]
    return read_moments(group, n)


cdef void fill_nadam(const StepNumbers* n, double step, Launch* l, double* state) noexcept:
    """state: the product of all momenta so far."""
    cdef double beta1 = n.given[1]
    cdef double momentum = beta1 * (1 - 0.5 * c_pow(0.96, step * n.given[4]))
    cdef double coming = beta1 * (1 - 0.5 * c_pow(0.96, (step + 1) * n.given[4]))
    state[0] = <f32>state[0] * <f32>momentum if n.single[0] else state[0] * momentum
    l.attr[2].f, l.attr[3].f = -n.given[0] * (1 - momentum) / (1 - state[0]), -n.given[0] * coming / (1 - state[0] * coming)
    l.attr[4].f, l.attr[5].f, l.attr[6].f, l.attr[7].f = beta1, n.given[2], n.given[3], 1 - c_pow(n.given[2], step)


cdef int read_rprop(dict group, StepNumbers* n, Launch* l) except -1:
    n.given[0], n.given[1] = group["etas"]
    n.given[2], n.given[3] = group["step_sizes"]
    l.kernel = K_RPROP_STEP
    return 0


cdef void fill_rprop(const StepNumbers* n, double step, Launch* l, double* state) noexcept:
    l.attr[2].f, l.attr[3].f, l.attr[4].f, l.attr[5].f = n.given[0], n.given[1], n.given[2], n.given[3]


cdef int read_asgd(dict group, StepNumbers* n, Launch* l) except -1:
    n.given[0], n.given[1], n.given[2], n.given[3] = group["lr"], group["lambd"], group["alpha"], group["t0"]
    l.kernel = K_ASGD_STEP
    return 0


cdef void fill_asgd(const StepNumbers* n, double step, Launch* l, double* state) noexcept:
    """state: eta, the rate, and mu, how far the average follows; what is written is for the next step, in the default dtype."""
    cdef double lr = n.given[0], decay = n.given[1]
    l.attr[2].f, l.attr[3].f, l.attr[4].f = 1 - decay * state[0], -state[0], state[1]
    state[0] = lr / c_pow(1 + decay * lr * step, n.given[2])
    state[1] = 1 / max(1, step - n.given[3])
    if n.single_default:
        state[0], state[1] = <f32>state[0], <f32>state[1]


cdef dict step_rules = {}


cdef int add_step_rule(str name, ReadGroup read, FillLaunch fill) except -1:
    cdef StepRule rule = StepRule.__new__(StepRule)
    rule.name, rule.read, rule.fill = name, read, fill
    step_rules[name] = rule
    return 0


add_step_rule("RMSprop", read_rmsprop, fill_rmsprop)
add_step_rule("Adagrad", read_adagrad, fill_adagrad)
add_step_rule("Adadelta", read_adadelta, fill_adadelta)
add_step_rule("Adamax", read_adamax, fill_adamax)
add_step_rule("RAdam", read_radam, fill_radam)
add_step_rule("NAdam", read_nadam, fill_nadam)
add_step_rule("Rprop", read_rprop, fill_rprop)
add_step_rule("ASGD", read_asgd, fill_asgd)
