-- The ticketing tables as they exist. Both sides read and write them; neither alters them.
-- No checks, no enums, no triggers: status, priority, category and role are free text, and rows with NULLs and unknown values exist.

CREATE TABLE public.users (
    id serial PRIMARY KEY,
    email varchar(255) NOT NULL UNIQUE,
    password_hash varchar(255) NOT NULL,
    first_name varchar(100) NOT NULL,
    last_name varchar(100) NOT NULL,
    role varchar(50) DEFAULT 'user',
    department varchar(100),
    job_title varchar(100),
    is_active boolean DEFAULT true,
    is_verified boolean DEFAULT false,
    verification_token varchar(255),
    verification_token_expires timestamp(6),
    reset_token varchar(255),
    reset_token_expires timestamp(6),
    oauth_provider varchar(50),
    oauth_id varchar(255),
    oauth_access_token text,
    oauth_refresh_token text,
    two_factor_secret varchar(255),
    last_login timestamp(6),
    created_at timestamp(6) DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp(6) DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_users_role ON public.users (role);
CREATE INDEX idx_users_is_active ON public.users (is_active);

CREATE TABLE public.support_tickets (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    subject varchar(255) NOT NULL,
    description text NOT NULL,
    status varchar(50) DEFAULT 'open',
    priority varchar(20) DEFAULT 'medium',
    category varchar(50) DEFAULT 'general',
    assigned_to integer REFERENCES public.users (id) ON DELETE SET NULL,
    resolution text,
    resolved_at timestamp(6),
    created_at timestamp(6) DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp(6) DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_support_tickets_user_id ON public.support_tickets (user_id);
CREATE INDEX idx_support_tickets_status ON public.support_tickets (status);
CREATE INDEX idx_support_tickets_status_created_at ON public.support_tickets (status, created_at DESC);
CREATE INDEX idx_support_tickets_priority_status ON public.support_tickets (priority, status);
CREATE INDEX idx_support_tickets_user_id_status ON public.support_tickets (user_id, status);

CREATE TABLE public.ticket_comments (
    id serial PRIMARY KEY,
    ticket_id integer NOT NULL REFERENCES public.support_tickets (id) ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES public.users (id) ON DELETE CASCADE,
    comment text NOT NULL,
    is_internal boolean DEFAULT false,
    created_at timestamp(6) DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_ticket_comments_ticket_id_created_at ON public.ticket_comments (ticket_id, created_at);
